#pragma once
/// TLS 1.2 and 1.3 with certificates from PEM files, as dockerd's and docker's --tls… flags have it.
/// OpenSSL is initialised by the first context, not before.

#include <memory>
#include <string>

#include "base/result.h"

namespace http {

struct TlsFiles {
  std::string ca;           ///< who signs the peer's certificate; empty: the system's (client only)
  std::string certificate;  ///< our own, with its chain; a client may have none
  std::string key;
};

enum class VerifyPeer : bool { No, Yes };

/// Immutable and safe to share between threads and connections.
class TlsContext {
 public:
  /// `verify`: a client must present a certificate signed by `files.ca` (dockerd --tlsverify).
  /// Errors: NotFound, InvalidArgument: which file, and OpenSSL's reason.
  static base::Result<std::shared_ptr<TlsContext>> server(const TlsFiles& files, VerifyPeer verify);
  /// `verify`: the server's certificate must be signed by `files.ca` and name the host.
  static base::Result<std::shared_ptr<TlsContext>> client(const TlsFiles& files, VerifyPeer verify);

  struct State;
  explicit TlsContext(std::unique_ptr<State> state);
  ~TlsContext();
  [[nodiscard]] State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace http
