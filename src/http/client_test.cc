#include "http/client.h"

#include <array>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/detail/test_support.h"

namespace http {
namespace {

using http::testing::soon;
using http::testing::TempDir;
using http::testing::TestServer;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

void echo(Exchange& exchange) {
  const auto body = base::read_all(exchange.body(), 1 << 24);
  ASSERT_TRUE(body) << body.error().message();
  const auto& request = exchange.request();
  EXPECT_TRUE(exchange.respond(200, {{"X-Agent", std::string{request.headers.get("User-Agent")}}},
                               request.method + " " + request.target + " " + *body));
}

Client client_of(const TestServer& server) {
  return Client{Endpoint{.unix_path = server.path()}, ClientOptions{.headers = {{"User-Agent", "test"}}}};
}

std::string text_of(Reply& reply) {
  auto text = base::read_all(reply, 1 << 24);
  EXPECT_TRUE(text) << text.error().message();
  return text ? *text : std::string{};
}

TEST(Client, ReusesItsConnection) {
  TestServer server{echo};
  Client client = client_of(server);
  for (int i = 0; i < 5; ++i) {
    auto reply = client.send({.method = "POST", .target = "/x?a=1", .body = "hello"});
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ((*reply)->status(), 200);
    EXPECT_EQ((*reply)->headers().get("x-agent"), "test");
    EXPECT_EQ(text_of(**reply), "POST /x?a=1 hello");
    EXPECT_EQ(server->counters().connections, 1U);
  }
}

TEST(Client, ReplacesAConnectionThatWasClosedMeanwhile) {
  TestServer server{echo, ServerOptions{.idle_timeout = milliseconds{30}}};
  Client client = client_of(server);
  for (int i = 0; i < 3; ++i) {
    auto reply = client.send({.method = "POST", .target = "/", .body = "x"});
    ASSERT_TRUE(reply) << reply.error().message();
    text_of(**reply);
    std::this_thread::sleep_for(milliseconds{80});
  }
}

TEST(Client, StreamsBodiesBothWays) {
  TestServer server{[](Exchange& exchange) {
    EXPECT_EQ(exchange.body_length(), std::nullopt);
    EXPECT_TRUE(exchange.begin(201, {}));
    EXPECT_TRUE(base::copy(exchange.body(), exchange.sink()));
    EXPECT_TRUE(exchange.finish());
  }};
  Client client = client_of(server);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + ",";
  base::StringSource source{text};
  auto reply = client.send({.method = "POST", .target = "/load", .stream = &source});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ((*reply)->status(), 201);
  EXPECT_EQ(text_of(**reply), text);
}

TEST(Client, SeesARefusalInTheMiddleOfItsUpload) {
  TestServer server{[](Exchange& exchange) { EXPECT_TRUE(exchange.respond(400, {}, "bad tar")); }};
  Client client = client_of(server);
  const std::string text(20'000'000, 'x');
  base::StringSource source{text};
  auto reply = client.send({.method = "POST", .target = "/load", .stream = &source});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ((*reply)->status(), 400);
  EXPECT_EQ(text_of(**reply), "bad tar");
}

TEST(Client, ReadsAStreamAsItComes) {
  std::binary_semaphore more{0};
  TestServer server{[&](Exchange& exchange) {
    EXPECT_TRUE(exchange.begin(200, {}));
    EXPECT_TRUE(exchange.write("first"));
    more.acquire();
    EXPECT_TRUE(exchange.write("second"));
    EXPECT_TRUE(exchange.finish());
  }};
  Client client = client_of(server);
  auto reply = client.send({.target = "/events"});
  ASSERT_TRUE(reply);
  char bytes[100];
  EXPECT_EQ((*reply)->read(bytes).value(), 5U);
  EXPECT_EQ((*reply)->read_now(bytes).value(), std::nullopt);
  more.release();
  EXPECT_TRUE(*sys::wait_ready((*reply)->fd(), POLLIN, soon()));
  EXPECT_EQ((*reply)->read_now(bytes).value(), 6U);
  EXPECT_EQ(text_of(**reply), "");
}

TEST(Client, ACutStreamIsAnError) {
  TestServer server{[&](Exchange& exchange) {
    EXPECT_TRUE(exchange.begin(200, {}));
    EXPECT_TRUE(exchange.write("part"));
  }};
  Client client = client_of(server);
  auto reply = client.send({.target = "/save"});
  ASSERT_TRUE(reply);
  const auto text = base::read_all(**reply, 100);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message(), "unexpected EOF");
}

TEST(Client, TakesAConnectionOver) {
  TestServer server{[](Exchange& exchange) {
    EXPECT_TRUE(exchange.request().wants_upgrade());
    auto upgraded = exchange.hijack_stream("application/vnd.docker.raw-stream");
    ASSERT_TRUE(upgraded);
    EXPECT_TRUE(sys::write_all(upgraded->socket.get(), "hello "));
    const auto input = upgraded->prefix + sys::read_to_end(upgraded->socket.get()).value();
    EXPECT_TRUE(sys::write_all(upgraded->socket.get(), input));
  }};
  Client client = client_of(server);
  auto reply = client.send({.method = "POST", .target = "/attach", .upgrade = true});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ((*reply)->status(), 101);
  EXPECT_EQ((*reply)->headers().get("Content-Type"), "application/vnd.docker.raw-stream");
  auto upgraded = (*reply)->hijack();
  ASSERT_TRUE(upgraded) << upgraded.error().message();
  reply->reset();
  EXPECT_TRUE(sys::write_all(upgraded->socket.get(), "stdin"));
  sys::shut_down(upgraded->socket.get(), sys::Direction::Write);
  EXPECT_EQ(upgraded->prefix + sys::read_to_end(upgraded->socket.get()).value(), "hello stdin");
}

TEST(Client, AnUpgradeThatIsRefusedIsAResponse) {
  TestServer server{[](Exchange& exchange) { EXPECT_TRUE(exchange.respond(409, {}, "not running")); }};
  Client client = client_of(server);
  auto reply = client.send({.method = "POST", .target = "/attach", .upgrade = true});
  ASSERT_TRUE(reply);
  EXPECT_TRUE((*reply)->hijack().failed_as(base::ErrorKind::Conflict));
  EXPECT_EQ(text_of(**reply), "not running");
}

TEST(Client, SkipsInterimResponses) {
  TempDir dir;
  auto listener = sys::listen_unix(dir / "s", SOCK_STREAM, 0600);
  ASSERT_TRUE(listener);
  std::jthread peer{[&] {
    auto socket = sys::accept_on(listener->get());
    char bytes[1000];
    base::ignore(sys::read_some(socket->get(), bytes), "the request");
    EXPECT_TRUE(sys::write_all(socket->get(),
                               "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
                               "HTTP/1.1 200 OK\r\n\r\nto the end"));
  }};
  Client client{Endpoint{.unix_path = dir / "s"}};
  auto reply = client.send({.target = "/"});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ((*reply)->status(), 200);
  EXPECT_EQ(text_of(**reply), "to the end");
}

TEST(Client, HeadHasNoBodyToWaitFor) {
  TestServer server{
      [](Exchange& exchange) { EXPECT_TRUE(exchange.respond(200, {{"Api-Version", "1.51"}}, "OK")); }};
  Client client = client_of(server);
  for (int i = 0; i < 2; ++i) {
    auto reply = client.send({.method = "HEAD", .target = "/_ping"});
    ASSERT_TRUE(reply);
    EXPECT_EQ((*reply)->headers().get("API-Version"), "1.51");
    EXPECT_EQ(text_of(**reply), "");
  }
  EXPECT_EQ(server->counters().connections, 1U);
}

TEST(Client, GivesUpOnASilentPeer) {
  std::counting_semaphore<2> go{0};
  TestServer server{[&](Exchange&) { go.acquire(); }};
  Client client{Endpoint{.unix_path = server.path()}, ClientOptions{.response_timeout = milliseconds{50}}};
  const auto reply = client.send({.target = "/"});
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().is(base::ErrorKind::Unavailable));
  EXPECT_EQ(reply.error().errno_value(), ETIMEDOUT);
  go.release(2);
}

TEST(Client, SaysWhyItCannotConnect) {
  TempDir dir;
  const auto nobody = Client{Endpoint{.unix_path = dir / "none"}}.send({.target = "/"});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().errno_value(), ENOENT);
  EXPECT_THAT(nobody.error().message(), HasSubstr("dial unix " + (dir / "none") + ": connect: No such file"));
  {
    auto gone = sys::listen_unix(dir / "dead", SOCK_STREAM, 0600);
  }
  const auto refused = Client{Endpoint{.unix_path = dir / "dead"}}.send({.target = "/"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().errno_value(), ECONNREFUSED);
  const auto tcp = Client{Endpoint{.host = "127.0.0.1", .port = 1}}.send({.target = "/"});
  ASSERT_FALSE(tcp);
  EXPECT_EQ(tcp.error().errno_value(), ECONNREFUSED);
  EXPECT_TRUE(tcp.error().is(base::ErrorKind::Unavailable));
}

TEST(Client, RefusesAPeerThatIsNoHttpServer) {
  TempDir dir;
  auto listener = sys::listen_unix(dir / "s", SOCK_STREAM, 0600);
  ASSERT_TRUE(listener);
  std::jthread peer{[&] {
    auto socket = sys::accept_on(listener->get());
    // The request is read first: closing over unread bytes would reset the connection.
    std::array<char, 4096> request{};
    EXPECT_TRUE(sys::read_some(socket->get(), request));
    EXPECT_TRUE(sys::write_all(socket->get(), "SSH-2.0-OpenSSH_9.2\r\n\r\n"));
  }};
  const auto reply = Client{Endpoint{.unix_path = dir / "s"}}.send({.target = "/"});
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().is(base::ErrorKind::InvalidArgument)) << reply.error().message();
}

TEST(Client, ServesSeveralThreads) {
  TestServer server{echo};
  Client client = client_of(server);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&client, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string target = "/" + std::to_string(t) + "/" + std::to_string(i);
        auto reply = client.send({.target = target});
        ASSERT_TRUE(reply) << reply.error().message();
        EXPECT_EQ(text_of(**reply), "GET " + target + " ");
      }
    });
  }
}

}  // namespace
}  // namespace http
