#include "http/tls.h"

#include "http/detail/tls.h"

namespace http {

using base::Result;

namespace {

/// Docker's API speaks HTTP/1.1 only; a client that offers more is told so.
int choose_http1(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                 const unsigned char* offered, unsigned offered_size, void* /*argument*/) {
  static constexpr unsigned char kHttp1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp1, sizeof kHttp1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Result<> load(SSL_CTX* context, const TlsFiles& files, VerifyPeer verify) {
  const auto failed = [](std::string_view what, const std::string& file) {
    return base::invalid(std::string{what} + " " + file + ": " + detail::openssl_reason());
  };
  if (!files.certificate.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
      return failed("could not load the TLS certificate", files.certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      return failed("could not load the TLS key", files.key);
    }
    if (SSL_CTX_check_private_key(context) != 1)
      return failed("the TLS key does not match", files.certificate);
  }
  if (verify == VerifyPeer::No) return {};
  if (files.ca.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) return failed("could not load", "the system's CAs");
  } else if (SSL_CTX_load_verify_file(context, files.ca.c_str()) != 1) {
    return failed("could not read CA certificate", files.ca);
  }
  return {};
}

Result<std::shared_ptr<TlsContext>> make(const SSL_METHOD* method, const TlsFiles& files, VerifyPeer verify) {
  auto state = std::make_unique<TlsContext::State>();
  state->verify = verify;
  state->context = SSL_CTX_new(method);
  if (state->context == nullptr) return base::internal("TLS: " + detail::openssl_reason());
  SSL_CTX_set_min_proto_version(state->context, TLS1_2_VERSION);
  SSL_CTX_set_mode(state->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(state->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  TRY(load(state->context, files, verify));
  return std::make_shared<TlsContext>(std::move(state));
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<State> state) : state_{std::move(state)} {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::server(const TlsFiles& files, VerifyPeer verify) {
  if (files.certificate.empty() || files.key.empty()) {
    return base::invalid("a TLS server needs a certificate and a key");
  }
  if (verify == VerifyPeer::Yes && files.ca.empty()) {
    return base::invalid("verification of TLS clients needs a CA certificate");
  }
  auto context = TRY(make(TLS_server_method(), files, verify));
  SSL_CTX* const raw = context->state().context;
  SSL_CTX_set_alpn_select_cb(raw, choose_http1, nullptr);
  if (verify == VerifyPeer::Yes) {
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // Names the CAs that a client picks its certificate by; a missing list is no failure.
    SSL_CTX_set_client_CA_list(raw, SSL_load_client_CA_file(files.ca.c_str()));
    // Sessions of verified clients need a context, or OpenSSL refuses to resume them.
    static constexpr unsigned char kSession[] = "caisson";
    SSL_CTX_set_session_id_context(raw, kSession, sizeof kSession - 1);
  }
  return context;
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(const TlsFiles& files, VerifyPeer verify) {
  auto context = TRY(make(TLS_client_method(), files, verify));
  SSL_CTX_set_verify(context->state().context, verify == VerifyPeer::Yes ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                     nullptr);
  return context;
}

}  // namespace http
