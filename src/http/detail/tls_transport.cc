/// A connection in TLS. OpenSSL reads and writes the socket through calls that neither block nor raise
/// SIGPIPE, whatever the descriptor's flags say.
#include <cerrno>

#include <openssl/x509v3.h>

#include "http/detail/tls.h"
#include "http/detail/transport.h"

namespace http::detail {

using base::Error;
using base::Result;

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  if (ERR_SYSTEM_ERROR(code)) return base::errno_text(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

namespace {

int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

/// The result of one step in the shape that OpenSSL wants.
int bio_result(const Result<std::optional<std::size_t>>& step) {
  if (!step) {
    errno = step.error().errno_value();
    return -1;
  }
  return *step ? static_cast<int>(**step) : -1;
}

int bio_read(BIO* bio, char* buffer, int size) {
  BIO_clear_retry_flags(bio);
  const auto step = sys::receive_now(socket_of(bio), {buffer, static_cast<std::size_t>(size)});
  if (step && !*step) BIO_set_retry_read(bio);
  if (step && *step && **step == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return bio_result(step);
}

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto step = sys::send_now(socket_of(bio), {bytes, static_cast<std::size_t>(size)});
  if (step && !*step) BIO_set_retry_write(bio);
  return bio_result(step);
}

long bio_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
  }();
  return kMethod;
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(sys::UniqueFd socket, SSL* ssl) : Transport{std::move(socket)}, ssl_{ssl} {
    BIO* bio = BIO_new(socket_method());
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd())));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
  }
  ~TlsTransport() override {
    if (handshaken_ && !failed_) SSL_shutdown(ssl_);  // one try: a polite end, nobody waits for it
    SSL_free(ssl_);
    ERR_clear_error();
  }

  Result<Step> handshake() override {
    if (handshaken_) return Step{};
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    handshaken_ = result == 1;
    if (handshaken_) return Step{};
    return outcome(result, "TLS handshake");
  }

  Result<Step> receive(std::span<char> buffer) override {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_, buffer.data(), buffer.size(), &count);
    if (result == 1) return Step{count};
    return outcome(result, "TLS read");
  }

  Result<Step> send(std::string_view bytes, bool /*more_follows*/) override {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count);
    if (result == 1) return Step{count};
    return outcome(result, "TLS write");
  }

  [[nodiscard]] bool has_buffered() const override { return SSL_has_pending(ssl_) == 1; }
  [[nodiscard]] bool is_tls() const override { return true; }
  void close_write() override {
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }

  [[nodiscard]] std::string peer_subject() const override {
    const X509* certificate = SSL_get0_peer_certificate(ssl_);
    if (certificate == nullptr || SSL_get_verify_result(ssl_) != X509_V_OK) return {};
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return {};
    const ASN1_STRING* name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(name)),
            static_cast<std::size_t>(ASN1_STRING_length(name))};
  }

 private:
  Result<Step> outcome(int result, std::string_view what) {
    const int saved = errno;
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ: return Step{0, Want::Read};
      case SSL_ERROR_WANT_WRITE: return Step{0, Want::Write};
      case SSL_ERROR_ZERO_RETURN: return Step{};
      case SSL_ERROR_SYSCALL: failed_ = true; return Error::from_errno(saved == 0 ? ECONNRESET : saved, what);
      default: break;
    }
    failed_ = true;
    const std::string reason = openssl_reason();
    const long verified = SSL_get_verify_result(ssl_);
    if (verified != X509_V_OK) {
      return Error{base::ErrorKind::Unauthorized,
                   std::string{what} + ": " + X509_verify_cert_error_string(verified)};
    }
    return Error{base::ErrorKind::Unavailable, std::string{what} + ": " + reason};
  }

  SSL* ssl_;
  bool handshaken_ = false;
  bool failed_ = false;
};

Result<SSL*> make_ssl(const TlsContext& context) {
  SSL* ssl = SSL_new(context.state().context);
  if (ssl == nullptr) return base::internal("TLS: " + openssl_reason());
  return ssl;
}

}  // namespace

Result<std::unique_ptr<Transport>> make_tls_server(sys::UniqueFd socket, const TlsContext& context) {
  SSL* ssl = TRY(make_ssl(context));
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsTransport>(std::move(socket), ssl);
}

Result<std::unique_ptr<Transport>> make_tls_client(sys::UniqueFd socket, const TlsContext& context,
                                                   const std::string& host) {
  SSL* ssl = TRY(make_ssl(context));
  SSL_set_connect_state(ssl);
  auto transport = std::make_unique<TlsTransport>(std::move(socket), ssl);
  // A certificate names addresses apart from names.
  X509_VERIFY_PARAM* verify = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) != 1) {
    ERR_clear_error();
    SSL_set_tlsext_host_name(ssl, host.c_str());
    if (context.state().verify == VerifyPeer::Yes && SSL_set1_host(ssl, host.c_str()) != 1) {
      return base::internal("TLS: " + openssl_reason());
    }
  }
  return transport;
}

}  // namespace http::detail
