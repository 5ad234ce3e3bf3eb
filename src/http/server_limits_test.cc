/// What a server bears: malformed and slow requests, many connections, its own end.
#include <atomic>
#include <barrier>
#include <semaphore>
#include <thread>

#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/detail/test_support.h"

namespace http {
namespace {

using http::testing::RawClient;
using http::testing::soon;
using http::testing::TestServer;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kPing = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";

void echo(Exchange& exchange) {
  const auto body = base::read_all(exchange.body(), 1 << 20);
  const auto& request = exchange.request();
  base::ignore(body ? exchange.respond(200, {}, request.method + " " + request.path + " " + *body)
                    : exchange.respond(400, {}, body.error().message()),
               "the client may be gone");
}

struct Malformed {
  std::string_view request;
  std::string_view status;
};

class MalformedHead : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedHead, IsRefused) {
  TestServer server{[](Exchange&) { ADD_FAILURE() << "handled"; }, ServerOptions{.max_head = 2048}};
  RawClient client{server.path()};
  client.send(GetParam().request);
  client.half_close();
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 " + std::string{GetParam().status} + " "));
}

const std::string kLongField = "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(3000, 'x');
const std::string kManyFields = [] {
  std::string out = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 300; ++i) out += "A: b\r\nB: c\r\n";
  return out + "\r\n";
}();

INSTANTIATE_TEST_SUITE_P(
    ServerLimits, MalformedHead,
    ::testing::Values(
        Malformed{"\r\n\r\n", "400"}, Malformed{"hello\r\n\r\n", "400"}, Malformed{"GET /\r\n\r\n", "400"},
        Malformed{"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505"}, Malformed{"GET / HTTP/1.1\r\n\r\n", "400"},
        Malformed{"GET / HTTP/1.1\nHost: x\n\n", "400"},
        Malformed{"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400"},
        Malformed{"GET / HTTP/1.1\r\nHost: x\r\nA\x01: x\r\n\r\n", "400"},
        Malformed{"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        Malformed{"GET x HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        Malformed{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400"},
        Malformed{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"},
        Malformed{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"},
        Malformed{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                  "400"},
        Malformed{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"},
        Malformed{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
        Malformed{"POST / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n", "417"}, Malformed{kLongField, "431"},
        Malformed{kManyFields, "431"}));

TEST(ServerLimits, RefusesMalformedChunks) {
  for (const std::string_view chunks :
       {"zz\r\n", "5\r\nhelloworld\r\n", "ffffffffffffffffff\r\n", "-1\r\n"}) {
    TestServer server{echo};
    RawClient client{server.path()};
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(chunks);
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 400 ")) << chunks;
    EXPECT_EQ(client.read_to_end(), "");
  }
}

TEST(ServerLimits, DropsAClientThatDripsItsHead) {
  TestServer server{echo, ServerOptions{.head_timeout = milliseconds{200}}};
  RawClient client{server.path()};
  client.send("GET / HTTP/1.1\r\n");
  const auto start = std::chrono::steady_clock::now();
  while (!client.closed(milliseconds{20})) {
    base::ignore(sys::send_now(client.fd(), "A: b\r\n"), "closed is what is waited for");
    ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds{180});
}

TEST(ServerLimits, DropsIdleConnections) {
  TestServer server{echo, ServerOptions{.idle_timeout = milliseconds{100}}};
  RawClient client{server.path()};
  client.send(kPing);
  client.read_response();
  EXPECT_TRUE(client.closed(milliseconds{5000}));
}

TEST(ServerLimits, DropsABodyThatDoesNotCome) {
  TestServer server{echo, ServerOptions{.body_timeout = milliseconds{100}}};
  RawClient client{server.path()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 400 "));
}

TEST(ServerLimits, IdleConnectionsCostNoThread) {
  constexpr std::size_t kConnections = 2000;
  struct ::rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 16384);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 2 * kConnections + 200) GTEST_SKIP() << "the limit of descriptors is too low";
  TestServer server{echo, ServerOptions{.thread_idle = milliseconds{100}}};
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.emplace_back(server.path());
    clients.back().send(kPing);
  }
  for (auto& client : clients) EXPECT_THAT(client.read_response(), EndsWith("GET /_ping "));
  const auto deadline = soon();
  while (server->counters().threads > 2 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds{20});
  }
  EXPECT_EQ(server->counters().connections, kConnections);
  EXPECT_LE(server->counters().threads, 2U);
  clients.front().send(kPing);
  EXPECT_THAT(clients.front().read_response(), EndsWith("GET /_ping "));
}

TEST(ServerLimits, ServesManyAtOnceAndNoMoreThanItMay) {
  constexpr int kThreads = 4;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::barrier together{kThreads};
  TestServer server{[&](Exchange& exchange) {
                      const int now = ++running;
                      int seen = most;
                      while (seen < now && !most.compare_exchange_weak(seen, now)) {
                      }
                      together.arrive_and_wait();
                      --running;
                      EXPECT_TRUE(exchange.respond(200, {}, ""));
                    },
                    ServerOptions{.max_threads = kThreads}};
  std::vector<RawClient> clients;
  for (int i = 0; i < 3 * kThreads; ++i) {
    clients.emplace_back(server.path());
    clients.back().send(kPing);
  }
  for (auto& client : clients) EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(most, kThreads);
}

TEST(ServerLimits, MakesRoomByClosingTheLongestIdle) {
  TestServer server{echo, ServerOptions{.max_connections = 2}};
  RawClient first{server.path()};
  first.send(kPing);
  first.read_response();
  const milliseconds past_linger{50};  // a thread stays with its connection for a moment
  std::this_thread::sleep_for(past_linger);
  RawClient second{server.path()};
  second.send(kPing);
  second.read_response();
  std::this_thread::sleep_for(past_linger);
  RawClient third{server.path()};
  third.send(kPing);
  third.read_response();
  EXPECT_TRUE(first.closed(milliseconds{5000}));
  EXPECT_FALSE(second.closed());
}

TEST(ServerLimits, NewConnectionsWaitWhileAllAreBusy) {
  std::counting_semaphore<8> go{0};
  TestServer server{[&](Exchange& exchange) {
                      go.acquire();
                      EXPECT_TRUE(exchange.respond(200, {}, "x"));
                    },
                    ServerOptions{.max_connections = 1}};
  RawClient first{server.path()};
  first.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  RawClient second{server.path()};
  second.send(kPing);
  EXPECT_FALSE(*sys::wait_ready(second.fd(), POLLIN, std::chrono::steady_clock::now() + milliseconds{50}));
  go.release(2);
  EXPECT_THAT(first.read_to_end(), EndsWith("x"));
  first.close();
  EXPECT_THAT(second.read_response(), EndsWith("x"));
}

TEST(ServerLimits, StopLetsRunningRequestsEnd) {
  std::binary_semaphore started{0};
  TestServer server{[&](Exchange& exchange) {
    started.release();
    std::this_thread::sleep_for(milliseconds{100});
    EXPECT_TRUE(exchange.respond(200, {}, "done"));
  }};
  RawClient idle{server.path()};
  RawClient running{server.path()};
  running.send(kPing);
  started.acquire();
  EXPECT_EQ(server->stop(std::chrono::seconds{10}), 0U);
  EXPECT_TRUE(idle.closed(milliseconds{1000}));
  EXPECT_THAT(running.read_to_end(), AllOf(HasSubstr("Connection: close"), EndsWith("done")));
  EXPECT_TRUE(sys::connect_unix(server.path(), SOCK_STREAM).failed_as(base::ErrorKind::Unavailable));
}

TEST(ServerLimits, StopWakesThoseThatWait) {
  std::binary_semaphore started{0};
  TestServer server{[&](Exchange& exchange) {
    EXPECT_TRUE(exchange.begin(200, {}));
    std::binary_semaphore stopped{0};
    const std::stop_callback callback{exchange.stop_token(), [&] { stopped.release(); }};
    started.release();
    stopped.acquire();
    EXPECT_FALSE(exchange.client_gone());
    EXPECT_TRUE(exchange.write("the daemon ends"));
  }};
  RawClient follower{server.path()};
  follower.send(kPing);
  started.acquire();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(server->stop(std::chrono::seconds{60}), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
  EXPECT_THAT(follower.read_to_end(), EndsWith("the daemon ends\r\n"));
}

TEST(ServerLimits, StopBreaksWhatDoesNotEnd) {
  std::counting_semaphore<2> started{0};
  TestServer server{[&](Exchange& exchange) {
    started.release();
    if (exchange.request().path == "/silent") {
      EXPECT_FALSE(base::read_all(exchange.body(), 1000));
      return;
    }
    EXPECT_TRUE(exchange.begin(200, {}));
    while (exchange.write(std::string(10'000, 'x'))) {
    }
  }};
  RawClient silent{server.path()};
  silent.send("POST /silent HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
  RawClient slow{server.path()};  // and never reads
  slow.send("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
  started.acquire();
  started.acquire();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(server->stop(milliseconds{50}), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{1});
  EXPECT_TRUE(silent.closed(milliseconds{1000}));
}

}  // namespace
}  // namespace http
