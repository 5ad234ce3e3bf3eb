#include "distribution/detail/transfer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <curl/curl.h>

#include "base/strings.h"

namespace distribution::detail {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using Clock = std::chrono::steady_clock;

/// A body waits in memory up to this much; then the peer waits.
constexpr std::size_t kBuffered = std::size_t{512} << 10U;
constexpr long kReceiveBuffer = 256L << 10U;
constexpr long kSendBuffer = 256L << 10U;
constexpr std::size_t kIdleSlots = 8;
constexpr std::size_t kHeaderLimit = std::size_t{256} << 10U;

/// Once per process; never undone, since other threads may be inside libcurl at exit.
void init_library() {
  static const CURLcode kDone = curl_global_init(CURL_GLOBAL_DEFAULT);
  CAISSON_INVARIANT(kDone == CURLE_OK);
}

struct UrlHandle {
  UrlHandle() : handle{curl_url()} { CAISSON_INVARIANT(handle != nullptr); }
  UrlHandle(const UrlHandle&) = delete;
  UrlHandle& operator=(const UrlHandle&) = delete;
  ~UrlHandle() { curl_url_cleanup(handle); }
  [[nodiscard]] std::string part(CURLUPart what, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle, what, &text, flags) != CURLUE_OK) return {};
    std::string copy{text};
    curl_free(text);
    return copy;
  }
  CURLU* handle;
};

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "[::1]";
}

std::string verb(const std::string& method) {
  std::string text = base::to_lower(method);
  text.front() = method.front();
  return text;
}

}  // namespace

std::string_view Response::header(std::string_view name) const {
  const auto it =
      std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
  return it == headers.end() ? std::string_view{} : std::string_view{it->second};
}

std::vector<std::string_view> Response::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : headers) {
    if (key == name) values.emplace_back(value);
  }
  return values;
}

std::optional<std::uint64_t> Response::content_length() const {
  return base::parse_uint(header("content-length"));
}

/// One easy handle in a multi handle of its own, which keeps the connections. A multi handle is what
/// lets a body be read step by step.
class Transfers::Slot {
 public:
  Slot() : easy_{curl_easy_init()}, multi_{curl_multi_init()} {
    CAISSON_INVARIANT(easy_ != nullptr && multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 4L);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() {
    detach();
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
    curl_slist_free_all(header_list_);
  }

  Result<> start(const Request& request, const std::string& user_agent, const Timeouts& timeouts,
                 std::stop_token stop);
  Result<> wait_for_head();
  Result<std::size_t> read(std::span<char> buffer);
  /// Takes the transfer out; a connection that is in the middle of an answer is closed.
  void detach();

  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string origin;  ///< whom the connection leads to

 private:
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_upload(char* buffer, std::size_t size, std::size_t count, void* self);
  void take_header(std::string_view line);
  /// Lets libcurl work until something of use happened.
  Result<> step();
  [[nodiscard]] Error failure(CURLcode code) const;
  [[nodiscard]] std::string cause(CURLcode code) const;
  [[nodiscard]] Error intent(ErrorKind kind, const std::string& why) const {
    // Without the query: a storage URL that a registry redirects to carries its permission there.
    return {kind, verb(method_) + " " + base::quoted(std::string_view{url_}.substr(0, url_.find('?'))) +
                      ": " + why};
  }
  void set_trust(const Trust& trust);
  void set_upload(const Request& request);
  /// Everything that went over the wire for this request.
  [[nodiscard]] std::uint64_t moved() const { return buffer_.size() + header_bytes_ + sent_; }

  CURL* easy_;
  CURLM* multi_;
  curl_slist* header_list_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  std::string method_, url_, host_, port_, body_to_send_, authorities_;
  std::stop_token stop_;
  Timeouts timeouts_;
  std::string buffer_;
  std::size_t taken_ = 0;  // of buffer_
  std::size_t header_bytes_ = 0;
  base::ByteSource* upload_ = nullptr;
  std::optional<Error> upload_error_;
  std::uint64_t sent_ = 0;
  bool attached_ = false;
  bool head_done_ = false;
  bool paused_ = false;
  bool done_ = false;
  CURLcode result_ = CURLE_OK;
};

Result<> Transfers::Slot::start(const Request& request, const std::string& user_agent,
                                const Timeouts& timeouts, std::stop_token stop) {
  const Url url = TRY(parse_url(request.url));
  curl_easy_reset(easy_);
  curl_slist_free_all(std::exchange(header_list_, nullptr));
  method_ = request.method;
  url_ = request.url;
  host_ = url.host;
  port_ = url.port;
  origin = url.origin();
  stop_ = std::move(stop);
  timeouts_ = timeouts;
  status = 0;
  headers.clear();
  buffer_.clear();
  taken_ = header_bytes_ = 0;
  head_done_ = paused_ = done_ = false;
  upload_ = request.upload;
  upload_error_.reset();
  sent_ = 0;
  result_ = CURLE_OK;
  error_text_.front() = '\0';

  for (const auto& header : request.headers) header_list_ = curl_slist_append(header_list_, header.c_str());
  curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, user_agent.c_str());
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeouts.connect.count()));
  // A resolver that hangs must not hold up the cancellation: its thread ends by itself.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Slot::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Slot::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  if (is_loopback(host_)) curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  if (method_ == "HEAD") curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  if (upload_ != nullptr) {
    set_upload(request);
  } else if (method_ == "POST" || method_ == "PUT") {
    if (method_ == "PUT") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, "PUT");
    body_to_send_ = request.body;
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_to_send_.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body_to_send_.c_str());
  }
  set_trust(request.trust);
  if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) return intent(ErrorKind::Internal, "libcurl refused");
  attached_ = true;
  return {};
}

void Transfers::Slot::set_upload(const Request& request) {
  // Not to be asked "100 Continue?" first: a server that does not know the question costs a second.
  header_list_ = curl_slist_append(header_list_, "Expect:");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_);
  curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method_.c_str());
  curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, kSendBuffer);
  curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.upload_size));
  curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Slot::on_upload);
  curl_easy_setopt(easy_, CURLOPT_READDATA, this);
}

std::size_t Transfers::Slot::on_upload(char* buffer, std::size_t size, std::size_t count, void* self) {
  auto& slot = *static_cast<Slot*>(self);
  auto read = slot.upload_->read({buffer, size * count});
  if (!read) {
    slot.upload_error_ = std::move(read.error());
    return CURL_READFUNC_ABORT;
  }
  slot.sent_ += *read;
  return *read;
}

void Transfers::Slot::set_trust(const Trust& trust) {
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, trust.verify ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, trust.verify ? 2L : 0L);
  if (!trust.extra_authorities.empty()) {
    authorities_ = trust.extra_authorities;
    curl_blob blob{authorities_.data(), authorities_.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy_, CURLOPT_CAINFO_BLOB, &blob);
    curl_easy_setopt(easy_, CURLOPT_CAPATH, "/etc/ssl/certs");
  }
  if (!trust.client_certificate.empty()) {
    curl_easy_setopt(easy_, CURLOPT_SSLCERT, trust.client_certificate.c_str());
    curl_easy_setopt(easy_, CURLOPT_SSLKEY, trust.client_key.c_str());
  }
}

std::size_t Transfers::Slot::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& slot = *static_cast<Slot*>(self);
  slot.header_bytes_ += size * count;
  if (slot.header_bytes_ > kHeaderLimit) return 0;
  slot.take_header({data, size * count});
  return size * count;
}

void Transfers::Slot::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    // A 1xx answer comes before the real one.
    headers.clear();
    const auto words = base::split_words(base::trim(line));
    status = words.size() < 2 ? 0 : static_cast<long>(base::parse_int(words[1]).value_or(0));
    return;
  }
  if (base::trim(line).empty()) {
    head_done_ = status >= 200;
    return;
  }
  if (const auto parts = base::cut(line, ":")) {
    headers.emplace_back(base::to_lower(parts->first), std::string{base::trim(parts->second)});
  }
}

std::size_t Transfers::Slot::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& slot = *static_cast<Slot*>(self);
  if (slot.buffer_.size() - slot.taken_ >= kBuffered) {
    slot.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  slot.head_done_ = true;
  slot.buffer_.append(data, size * count);
  return size * count;
}

Result<> Transfers::Slot::step() {
  const auto begin = Clock::now();
  // Bytes on the wire are progress too: a handshake, a header that comes slowly.
  const std::uint64_t before = moved();
  while (!stop_.stop_requested()) {
    int running = 0;
    if (curl_multi_perform(multi_, &running) != CURLM_OK)
      return intent(ErrorKind::Internal, "libcurl failed");
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) {
        done_ = true;
        result_ = message->data.result;
      }
    }
    if (done_ || moved() != before) return {};
    if (Clock::now() - begin > timeouts_.stall) {
      return intent(ErrorKind::Unavailable,
                    head_done_ ? "read: i/o timeout" : "net/http: timeout awaiting response headers");
    }
    curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
  }
  return intent(ErrorKind::Unavailable, "context canceled");
}

Result<> Transfers::Slot::wait_for_head() {
  const std::stop_callback wake{stop_, [this] { curl_multi_wakeup(multi_); }};
  while (!head_done_ && !done_) TRY(step());
  if (done_ && result_ != CURLE_OK && buffer_.empty()) return failure(result_);
  return {};
}

Result<std::size_t> Transfers::Slot::read(std::span<char> buffer) {
  if (buffer.empty()) return std::size_t{0};
  const std::stop_callback wake{stop_, [this] { curl_multi_wakeup(multi_); }};
  while (taken_ == buffer_.size()) {
    buffer_.clear();
    taken_ = 0;
    if (done_) {
      if (result_ != CURLE_OK) return failure(result_);
      return std::size_t{0};
    }
    if (std::exchange(paused_, false)) {
      curl_easy_pause(easy_, CURLPAUSE_CONT);
      if (!buffer_.empty()) break;
    }
    TRY(step());
  }
  const std::size_t count = std::min(buffer.size(), buffer_.size() - taken_);
  std::memcpy(buffer.data(), buffer_.data() + taken_, count);
  taken_ += count;
  return count;
}

void Transfers::Slot::detach() {
  if (std::exchange(attached_, false)) curl_multi_remove_handle(multi_, easy_);
  stop_ = {};
}

Error Transfers::Slot::failure(CURLcode code) const {
  if (upload_error_) return *upload_error_;
  const bool untrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
                         code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR;
  return intent(untrusted ? ErrorKind::Internal : ErrorKind::Unavailable, cause(code));
}

std::string Transfers::Slot::cause(CURLcode code) const {
  char* address = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &address);
  const std::string peer =
      (address != nullptr && *address != '\0' ? std::string{address} : host_) + ":" + port_;
  const std::string_view text{error_text_.data()};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "dial tcp: lookup " + host_ + ": no such host";
    case CURLE_COULDNT_CONNECT: {
      long os_error = 0;
      curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
      const std::string why =
          os_error == 0 ? "no route" : base::to_lower(base::errno_text(static_cast<int>(os_error)));
      return "dial tcp " + peer + ": connect: " + why;
    }
    case CURLE_OPERATION_TIMEDOUT: {
      curl_off_t resolved = 0;
      curl_easy_getinfo(easy_, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
      return resolved == 0 ? "dial tcp: lookup " + host_ + ": i/o timeout"
                           : "dial tcp " + peer + ": i/o timeout";
    }
    case CURLE_PEER_FAILED_VERIFICATION: {
      if (text.find("issuer") != text.npos || text.find("self-signed") != text.npos ||
          text.find("self signed") != text.npos) {
        return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
      }
      return "tls: failed to verify certificate: " + std::string{text};
    }
    case CURLE_SSL_CONNECT_ERROR:
      if (text.find("wrong version number") != text.npos ||
          text.find("packet length too long") != text.npos) {
        return "http: server gave HTTP response to HTTPS client";
      }
      return "tls: " + std::string{text.empty() ? curl_easy_strerror(code) : text};
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING: return "unexpected EOF";
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return "connection broken: " + std::string{text.empty() ? curl_easy_strerror(code) : text};
    default: return std::string{text.empty() ? curl_easy_strerror(code) : text};
  }
}

/// What a Response reads from; brings the slot back when it goes.
class Body final : public base::ByteSource {
 public:
  Body(Transfers& owner, std::unique_ptr<Transfers::Slot> slot) : owner_{owner}, slot_{std::move(slot)} {}
  ~Body() override { owner_.give_back(std::move(slot_)); }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  Result<std::size_t> read(std::span<char> buffer) override { return slot_->read(buffer); }

 private:
  Transfers& owner_;
  std::unique_ptr<Transfers::Slot> slot_;
};

Transfers::Transfers(std::string user_agent, Timeouts timeouts)
    : user_agent_{std::move(user_agent)}, timeouts_{timeouts} {
  init_library();
}

Transfers::~Transfers() = default;

std::unique_ptr<Transfers::Slot> Transfers::take(const std::string& origin) {
  {
    const std::scoped_lock lock{mutex_};
    auto it =
        std::find_if(idle_.begin(), idle_.end(), [&](const auto& slot) { return slot->origin == origin; });
    if (it == idle_.end() && idle_.size() >= kIdleSlots) it = idle_.begin();
    if (it != idle_.end()) {
      auto slot = std::move(*it);
      idle_.erase(it);
      return slot;
    }
  }
  return std::make_unique<Slot>();
}

void Transfers::give_back(std::unique_ptr<Slot> slot) {
  slot->detach();
  const std::scoped_lock lock{mutex_};
  if (idle_.size() < kIdleSlots) idle_.push_back(std::move(slot));
}

Result<Response> Transfers::send(const Request& request, std::stop_token stop) {
  const Url url = TRY(parse_url(request.url));
  auto slot = take(url.origin());
  TRY(slot->start(request, user_agent_, timeouts_, std::move(stop)));
  TRY(slot->wait_for_head());
  Response response;
  response.status = slot->status;
  response.url = request.url;
  response.headers = slot->headers;
  response.body = std::make_unique<Body>(*this, std::move(slot));
  return response;
}

Result<Url> parse_url(const std::string& url) {
  const UrlHandle handle;
  if (curl_url_set(handle.handle, CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return base::invalid("invalid URL " + base::quoted(url));
  }
  Url parts{handle.part(CURLUPART_SCHEME), handle.part(CURLUPART_HOST),
            handle.part(CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if ((parts.scheme != "http" && parts.scheme != "https") || parts.host.empty()) {
    return base::invalid("invalid URL " + base::quoted(url) + ": unsupported protocol scheme");
  }
  if (!handle.part(CURLUPART_USER).empty()) {
    return base::invalid("invalid URL: credentials in a URL are not supported");
  }
  parts.host = base::to_lower(parts.host);
  return parts;
}

Result<std::string> resolve_url(const std::string& base_url, const std::string& reference) {
  const UrlHandle handle;
  if (curl_url_set(handle.handle, CURLUPART_URL, base_url.c_str(), 0) != CURLUE_OK ||
      curl_url_set(handle.handle, CURLUPART_URL, reference.c_str(), 0) != CURLUE_OK) {
    return base::invalid("invalid redirect to " + base::quoted(reference));
  }
  return handle.part(CURLUPART_URL);
}

std::string escape(std::string_view text) {
  init_library();
  char* escaped = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
  CAISSON_INVARIANT(escaped != nullptr);
  std::string copy{escaped};
  curl_free(escaped);
  return copy;
}

}  // namespace distribution::detail
