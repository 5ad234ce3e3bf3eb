#pragma once
/// What tls.cc and tls_transport.cc share of OpenSSL.

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http/tls.h"

namespace http {

struct TlsContext::State {
  ~State() { SSL_CTX_free(context); }
  SSL_CTX* context = nullptr;
  VerifyPeer verify = VerifyPeer::Yes;
};

namespace detail {

/// The oldest error of this thread's OpenSSL queue, which is emptied; "unknown error" if there is none.
std::string openssl_reason();

}  // namespace detail
}  // namespace http
