#pragma once
/// For tests: an HTTP/1.1 server on 127.0.0.1 that misbehaves on demand. One thread per connection.

#include <atomic>
#include <cstring>
#include <functional>  // lint: allow(header) tests only
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/fd.h"

namespace distribution::testing {

struct FakeRequest {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  ///< names in lower case

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
  }
  [[nodiscard]] std::string path() const { return target.substr(0, target.find('?')); }
};

struct FakeReply {
  int status = 200;
  std::vector<std::string> headers;
  std::string body;
  std::size_t cut_after = SIZE_MAX;  ///< close the connection after so many bytes of the body
  bool send_length = true;           ///< otherwise the end of the connection is the end of the body
  bool hang = false;                 ///< say nothing until the server ends
  bool hold = false;                 ///< after the body keep the connection open in silence
};

class FakeServer {
 public:
  using Handler = std::function<FakeReply(const FakeRequest&)>;

  explicit FakeServer(Handler handler) : handler_{std::move(handler)} {
    listener_.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CAISSON_INVARIANT(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    CAISSON_INVARIANT(listen(listener_.get(), 64) == 0);
    CAISSON_INVARIANT(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread{[this](const std::stop_token& stop) { accept_all(stop); }};
  }
  ~FakeServer() { stop(); }

  /// From now on connections are refused.
  void stop() {
    ending_ = true;
    acceptor_.request_stop();
    if (acceptor_.joinable()) acceptor_.join();
    listener_.reset();
    connections_.clear();
  }

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string url() const { return "http://" + host(); }
  [[nodiscard]] int connections() const { return accepted_; }

  [[nodiscard]] std::vector<FakeRequest> requests() const {
    const std::scoped_lock lock{mutex_};
    return log_;
  }
  [[nodiscard]] std::vector<FakeRequest> requests_for(const std::string& path_part) const {
    std::vector<FakeRequest> found;
    for (auto& request : requests()) {
      if (request.target.find(path_part) != std::string::npos) found.push_back(request);
    }
    return found;
  }

 private:
  void accept_all(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd ready{listener_.get(), POLLIN, 0};
      if (poll(&ready, 1, 20) <= 0) continue;
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++accepted_;
      connections_.emplace_back([this, fd] { serve(sys::UniqueFd{fd}); });
    }
  }

  void serve(const sys::UniqueFd& fd) {
    std::string input;
    while (!ending_) {
      if (input.starts_with('\x16')) {  // a TLS handshake: answer as HTTP servers do
        send_all(fd, "HTTP/1.0 400 Bad Request\r\n\r\n");
        return;
      }
      const auto end = input.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (!receive(fd, input)) return;
        continue;
      }
      FakeRequest request = parse(input.substr(0, end));
      input.erase(0, end + 4);
      const auto length = base::parse_uint(request.header("content-length")).value_or(0);
      while (input.size() < length) {
        if (!receive(fd, input)) return;
      }
      request.body = input.substr(0, length);
      input.erase(0, length);
      {
        const std::scoped_lock lock{mutex_};
        log_.push_back(request);
      }
      if (!answer(fd, request, handler_(request))) return;
    }
  }

  bool receive(const sys::UniqueFd& fd, std::string& input) {
    while (!ending_) {
      pollfd ready{fd.get(), POLLIN, 0};
      if (poll(&ready, 1, 20) <= 0) continue;
      char buffer[65536];
      const auto count = recv(fd.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return false;
      input.append(buffer, static_cast<std::size_t>(count));
      return true;
    }
    return false;
  }

  static FakeRequest parse(const std::string& head) {
    FakeRequest request;
    bool first = true;
    for (const auto line : base::split(head, '\n')) {
      if (first) {
        const auto words = base::split_words(base::trim(line));
        request.method = words.at(0);
        request.target = words.at(1);
        first = false;
      } else if (const auto parts = base::cut(line, ":")) {
        request.headers[base::to_lower(parts->first)] = std::string{base::trim(parts->second)};
      }
    }
    return request;
  }

  bool answer(const sys::UniqueFd& fd, const FakeRequest& request, const FakeReply& reply) {
    while (reply.hang && !ending_) poll(nullptr, 0, 10);
    if (reply.hang) return false;
    std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " X\r\n";
    for (const auto& header : reply.headers) out += header + "\r\n";
    if (reply.send_length) out += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    out += "\r\n";
    const bool cut = reply.cut_after < reply.body.size();
    if (request.method != "HEAD") out += reply.body.substr(0, reply.cut_after);
    const bool sent = send_all(fd, out);
    while (reply.hold && !ending_) poll(nullptr, 0, 10);
    return sent && !cut && reply.send_length;
  }

  static bool send_all(const sys::UniqueFd& fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  Handler handler_;
  sys::UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> ending_ = false;
  std::atomic<int> accepted_ = 0;
  mutable std::mutex mutex_;
  std::vector<FakeRequest> log_;
  std::list<std::jthread> connections_;
  std::jthread acceptor_;
};

/// A registry in memory: blobs and manifests by their path below /v2/, with Range.
class FakeRegistry {
 public:
  /// What goes wrong, asked before each answer: nullopt for nothing.
  using Trouble = std::function<std::optional<FakeReply>(const FakeRequest&, FakeReply ordinary)>;

  FakeRegistry() : server{[this](const FakeRequest& request) { return handle(request); }} {}

  void put(const std::string& path, std::string bytes,
           const std::string& media_type = "application/octet-stream") {
    const std::scoped_lock lock{mutex_};
    things_["/v2/" + path] = {std::move(bytes), media_type};
  }
  void set_trouble(Trouble trouble) {
    const std::scoped_lock lock{mutex_};
    trouble_ = std::move(trouble);
  }

 private:
  struct Thing {
    std::string bytes, media_type;
  };

  FakeReply handle(const FakeRequest& request) {
    FakeReply reply;
    Trouble trouble;
    {
      const std::scoped_lock lock{mutex_};
      trouble = trouble_;
      const auto it = things_.find(request.path());
      if (request.path() == "/v2/") {
        reply.body = "{}";
      } else if (it == things_.end()) {
        reply.status = 404;
        const bool manifest = request.target.find("/manifests/") != std::string::npos;
        reply.body = manifest
                         ? R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]})"
                         : R"({"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]})";
      } else {
        reply.headers = {"Content-Type: " + it->second.media_type};
        reply.body = it->second.bytes;
        const std::string range = request.header("range");
        if (range.starts_with("bytes=")) {
          const auto begin = base::parse_uint(range.substr(6, range.find('-') - 6)).value_or(0);
          reply.status = 206;
          reply.headers.push_back("Content-Range: bytes " + std::to_string(begin) + "-" +
                                  std::to_string(reply.body.size() - 1) + "/" +
                                  std::to_string(reply.body.size()));
          reply.body.erase(0, begin);
        }
      }
    }
    if (trouble) {
      if (auto instead = trouble(request, reply)) return *std::move(instead);
    }
    return reply;
  }

  std::mutex mutex_;
  std::map<std::string, Thing> things_;
  Trouble trouble_;

 public:
  FakeServer server;  // last: its threads use the members above
};

}  // namespace distribution::testing
