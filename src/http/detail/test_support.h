#pragma once
/// For the module's tests: a server with a handler made of one function, and a client of raw bytes.

#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "http/server.h"
#include "sys/file.h"
#include "sys/stream_socket.h"

namespace http::testing {

inline sys::Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds{10}; }

class TempDir {
 public:
  TempDir() {
    std::string name = "/tmp/caisson-http-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TempDir() { EXPECT_TRUE(sys::remove_tree(sys::kCwd, path_)); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class FunctionHandler final : public Handler {
 public:
  explicit FunctionHandler(std::function<void(Exchange&)> function) : function_{std::move(function)} {}
  void handle(Exchange& exchange) override { function_(exchange); }

 private:
  std::function<void(Exchange&)> function_;
};

/// A server at a unix socket, or wherever the listeners are.
class TestServer {
 public:
  explicit TestServer(std::function<void(Exchange&)> function, const ServerOptions& options = {})
      : handler_{std::move(function)} {
    auto listeners = listen_on("unix://" + path());
    EXPECT_TRUE(listeners) << listeners.error().message();
    start(*std::move(listeners), options);
  }
  TestServer(std::function<void(Exchange&)> function, std::vector<Listener> listeners,
             const ServerOptions& options = {})
      : handler_{std::move(function)} {
    start(std::move(listeners), options);
  }

  [[nodiscard]] std::string path() const { return dir_ / "http.sock"; }
  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  void destroy() { server_.reset(); }

 private:
  void start(std::vector<Listener> listeners, const ServerOptions& options) {
    auto server = Server::start(handler_, std::move(listeners), options);
    EXPECT_TRUE(server) << server.error().message();
    server_ = *std::move(server);
  }

  TempDir dir_;
  FunctionHandler handler_;
  std::unique_ptr<Server> server_;
};

class RawClient {
 public:
  explicit RawClient(const std::string& path) {
    auto socket = sys::connect_unix(path, SOCK_STREAM);
    EXPECT_TRUE(socket) << socket.error().message();
    if (socket) socket_ = *std::move(socket);
  }
  explicit RawClient(sys::UniqueFd socket) : socket_{std::move(socket)} {}

  [[nodiscard]] int fd() const { return socket_.get(); }
  void send(std::string_view text) const { EXPECT_TRUE(sys::write_all(fd(), text)); }
  void half_close() const { sys::shut_down(fd(), sys::Direction::Write); }
  void close() { socket_.reset(); }

  /// Reads until `mark` has come, and returns all up to and with it.
  std::string read_to(std::string_view mark) {
    while (true) {
      if (const auto at = buffer_.find(mark); at != std::string::npos) {
        std::string out = buffer_.substr(0, at + mark.size());
        buffer_.erase(0, out.size());
        return out;
      }
      if (!fill()) {
        ADD_FAILURE() << "no " << mark << " in " << buffer_;
        return {};
      }
    }
  }
  std::string read_count(std::size_t count) {
    while (buffer_.size() < count) {
      if (!fill()) {
        ADD_FAILURE() << "only " << buffer_.size() << " of " << count << " bytes came";
        break;
      }
    }
    std::string out = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return out;
  }
  std::string read_to_end() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
  }
  /// A head and a body with Content-Length.
  std::string read_response() {
    std::string head = read_to("\r\n\r\n");
    const auto at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    return head + read_count(std::stoul(head.substr(at + 16)));
  }
  /// Whether the server closed, without waiting.
  [[nodiscard]] bool closed(std::chrono::milliseconds wait = {}) const {
    const auto ready = sys::wait_ready(fd(), POLLRDHUP, std::chrono::steady_clock::now() + wait);
    return ready && *ready;
  }

 private:
  bool fill() {
    char bytes[4096];
    if (const auto ready = sys::wait_ready(fd(), POLLIN, soon()); !ready || !*ready) {
      ADD_FAILURE() << "nothing came in time";
      return false;
    }
    const auto count = sys::receive_now(fd(), bytes);
    if (!count || !*count || **count == 0) return false;
    buffer_.append(bytes, **count);
    return true;
  }

  sys::UniqueFd socket_;
  std::string buffer_;
};

}  // namespace http::testing
