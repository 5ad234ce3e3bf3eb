#include "http/server.h"

#include <semaphore>
#include <thread>

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
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kPing = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";

/// Answers with what it understood of the request.
void echo(Exchange& exchange) {
  const auto body = base::read_all(exchange.body(), 1 << 20);
  if (!body) {
    base::ignore(exchange.respond(400, {}, body.error().message()), "the client may be gone");
    return;
  }
  const auto& request = exchange.request();
  EXPECT_TRUE(exchange.respond(200, {{"Content-Type", "text/plain"}},
                               request.method + " " + request.path + " " + *body));
}

TEST(Server, AnswersAndKeepsTheConnection) {
  TestServer server{echo};
  RawClient client{server.path()};
  for (int i = 0; i < 3; ++i) {
    client.send("POST /a%2Fb?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    const auto response = client.read_response();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: "));
    EXPECT_THAT(response, EndsWith("\r\n\r\nPOST /a/b hello"));
  }
  EXPECT_EQ(server->counters().connections, 1U);
}

TEST(Server, TellsWhoIsThere) {
  std::optional<struct ::ucred> peer;
  Query query;
  TestServer server{[&](Exchange& exchange) {
    peer = exchange.request().peer;
    query = exchange.request().query;
    EXPECT_EQ(exchange.request().remote_address, "@");
    EXPECT_TRUE(exchange.respond(204, {}, ""));
  }};
  RawClient client{server.path()};
  client.send("GET http://docker/info?all=1&name=a+b HTTP/1.1\r\nHost: docker\r\n\r\n");
  EXPECT_THAT(client.read_response(),
              AllOf(StartsWith("HTTP/1.1 204 No Content\r\n"), Not(HasSubstr("Length"))));
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_EQ(query.get("name"), "a b");
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server{echo};
  RawClient client{server.path()};
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(requests);
  client.half_close();  // which loses none of them
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(client.read_response(), EndsWith("\r\n\r\nGET /" + std::to_string(i) + " "));
  }
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, ReadsChunkedBodiesWhateverTheirPieces) {
  TestServer server{echo};
  RawClient client{server.path()};
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1;name=value\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n";
  client.send(request + request);
  EXPECT_THAT(client.read_response(), EndsWith("POST /x hello world"));
  EXPECT_THAT(client.read_response(), EndsWith("POST /x hello world"));
  for (const char byte : request) client.send({&byte, 1});
  EXPECT_THAT(client.read_response(), EndsWith("POST /x hello world"));
}

TEST(Server, StreamsInChunksAtOnce) {
  std::binary_semaphore* next = nullptr;
  std::binary_semaphore semaphore{0};
  next = &semaphore;
  TestServer server{[&](Exchange& exchange) {
    EXPECT_TRUE(exchange.begin(200, {{"Content-Type", "application/json"}}));
    next->acquire();
    EXPECT_TRUE(exchange.write("one"));
    next->acquire();
    EXPECT_TRUE(exchange.write("two", More::Yes));
    EXPECT_TRUE(exchange.sink().write("three"));
    EXPECT_TRUE(exchange.write(""));  // not the end
    EXPECT_TRUE(exchange.write(std::string(100'000, 'x')));
    EXPECT_TRUE(exchange.finish());
  }};
  RawClient client{server.path()};
  client.send(kPing);
  EXPECT_THAT(client.read_to("\r\n\r\n"), HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  next->release();
  EXPECT_EQ(client.read_to("one\r\n"), "3\r\none\r\n");
  next->release();
  EXPECT_EQ(client.read_to("three\r\n"), "8\r\ntwothree\r\n");
  EXPECT_EQ(client.read_to("0\r\n\r\n"), "186a0\r\n" + std::string(100'000, 'x') + "\r\n0\r\n\r\n");
  client.send(kPing);  // the connection goes on
  client.read_to("\r\n\r\n");
  next->release(1);
  EXPECT_EQ(client.read_to("one\r\n"), "3\r\none\r\n");
  next->release();
  client.read_to("0\r\n\r\n");
}

TEST(Server, BreaksTheConnectionOfAnUnfinishedStream) {
  TestServer server{[](Exchange& exchange) {
    EXPECT_TRUE(exchange.begin(200, {}));
    EXPECT_TRUE(exchange.write("part"));
  }};
  RawClient client{server.path()};
  client.send(kPing);
  EXPECT_THAT(client.read_to_end(), EndsWith("4\r\npart\r\n"));
}

TEST(Server, AnswersHttp10ByTheEndOfTheConnection) {
  TestServer server{[](Exchange& exchange) {
    EXPECT_TRUE(exchange.begin(200, {}));
    EXPECT_TRUE(exchange.write("all of it"));
    EXPECT_TRUE(exchange.finish());
  }};
  RawClient client{server.path()};
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("\r\n\r\nall of it")));
}

TEST(Server, SendsNoBodyWhereNoneBelongs) {
  TestServer server{[](Exchange& exchange) {
    if (exchange.request().path == "/whole") {
      EXPECT_TRUE(exchange.respond(200, {}, "12345"));
    } else {
      EXPECT_TRUE(exchange.begin(exchange.request().path == "/empty" ? 304 : 200, {}));
      EXPECT_TRUE(exchange.write("12345"));
      EXPECT_TRUE(exchange.finish());
    }
  }};
  RawClient client{server.path()};
  client.send(
      "HEAD /whole HTTP/1.1\r\nHost: x\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_to("\r\n\r\n"), HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(client.read_to("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(client.read_to("\r\n\r\n"), StartsWith("HTTP/1.1 304 Not Modified\r\n"));
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, ContinuesWhenTheHandlerReads) {
  TestServer server{[](Exchange& exchange) {
    if (exchange.request().path == "/read") return echo(exchange);
    EXPECT_TRUE(exchange.respond(401, {}, "no"));
  }};
  const std::string head = " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  RawClient client{server.path()};
  client.send("POST /read" + head);
  EXPECT_EQ(client.read_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_THAT(client.read_response(), EndsWith("POST /read ok"));
  client.send("POST /refuse" + head);
  EXPECT_THAT(client.read_response(),
              AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("Connection: close\r\n"), EndsWith("no")));
  EXPECT_TRUE(client.closed(milliseconds{5000}));  // whether the body comes now is anybody's guess
}

TEST(Server, SkipsAShortBodyAndClosesAfterALongOne) {
  TestServer server{[](Exchange& exchange) { EXPECT_TRUE(exchange.respond(200, {}, "done")); }};
  RawClient client{server.path()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'));
  client.read_response();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n");
  std::jthread sender{[&] {
    base::ignore(sys::write_all(client.fd(), std::string(10'000'000, 'x')), "the server stops reading");
  }};
  EXPECT_THAT(client.read_response(), EndsWith("done"));
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, HijacksWithWhatCameAlreadyAndHalfCloses) {
  TestServer server{[](Exchange& exchange) {
    const auto body = base::read_all(exchange.body(), 100);
    ASSERT_TRUE(body);
    EXPECT_EQ(*body, "{}");
    auto upgraded = exchange.hijack_stream("application/vnd.docker.raw-stream");
    ASSERT_TRUE(upgraded) << upgraded.error().message();
    // The peer's end of stream is not the end of ours.
    const auto input = upgraded->prefix + sys::read_to_end(upgraded->socket.get()).value();
    EXPECT_TRUE(sys::write_all(upgraded->socket.get(), "got " + input));
  }};
  RawClient client{server.path()};
  client.send(
      "POST /exec/1/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
      "Content-Length: 2\r\n\r\n{}early ");
  EXPECT_EQ(client.read_to("\r\n\r\n"),
            "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
            "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
  client.send("and late");
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "got early and late");
  EXPECT_EQ(server->counters().connections, 0U);
}

TEST(Server, HijacksWithoutAnUpgradeToo) {
  TestServer server{[](Exchange& exchange) {
    auto upgraded = exchange.hijack_stream("application/vnd.docker.multiplexed-stream");
    ASSERT_TRUE(upgraded);
    EXPECT_TRUE(sys::write_all(upgraded->socket.get(), "raw"));
  }};
  RawClient client{server.path()};
  client.send("POST /attach HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read_to_end(),
            "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\nraw");
}

TEST(Server, NoticesAClientThatGoes) {
  std::binary_semaphore waiting{0};
  std::binary_semaphore gone{0};
  TestServer server{[&](Exchange& exchange) {
    const auto body = base::read_all(exchange.body(), 100);
    EXPECT_FALSE(exchange.client_gone());
    const auto token = exchange.stop_token();
    std::binary_semaphore stopped{0};
    const std::stop_callback callback{token, [&] { stopped.release(); }};
    waiting.release();
    EXPECT_TRUE(stopped.try_acquire_for(std::chrono::seconds{10}));
    EXPECT_TRUE(exchange.client_gone());
    gone.release();
  }};
  RawClient client{server.path()};
  client.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  waiting.acquire();
  client.close();
  EXPECT_TRUE(gone.try_acquire_for(std::chrono::seconds{10}));
}

TEST(Server, AStopTokenTakenBeforeTheBodyFiresToo) {
  std::binary_semaphore read{0};
  std::binary_semaphore gone{0};
  TestServer server{[&](Exchange& exchange) {
    const auto token = exchange.stop_token();
    EXPECT_TRUE(base::read_all(exchange.body(), 100));
    EXPECT_FALSE(token.stop_requested());
    std::binary_semaphore stopped{0};
    const std::stop_callback callback{token, [&] { stopped.release(); }};
    read.release();
    EXPECT_TRUE(stopped.try_acquire_for(std::chrono::seconds{10}));
    gone.release();
  }};
  RawClient client{server.path()};
  client.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
  client.send("body");
  read.acquire();
  client.close();
  EXPECT_TRUE(gone.try_acquire_for(std::chrono::seconds{10}));
}

TEST(Server, ATruncatedBodyIsAnErrorNotAnEnd) {
  std::binary_semaphore done{0};
  TestServer server{[&](Exchange& exchange) {
    const auto body = base::read_all(exchange.body(), 1000);
    ASSERT_FALSE(body);
    EXPECT_TRUE(body.error().is(base::ErrorKind::Unavailable));
    done.release();
  }};
  RawClient client{server.path()};
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  client.close();
  EXPECT_TRUE(done.try_acquire_for(std::chrono::seconds{10}));
}

TEST(Server, AnExceptionAnswers500AndTheServerGoesOn) {
  TestServer server{[](Exchange& exchange) {
    if (exchange.request().path == "/throw") throw std::runtime_error{"secret"};
    if (exchange.request().path != "/nothing") echo(exchange);
  }};
  RawClient client{server.path()};
  client.send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_response(), AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("secret"))));
  client.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 500 "));
  client.send(kPing);
  EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST(Server, AFieldNeverMakesAnotherOne) {
  TestServer server{
      [](Exchange& exchange) { EXPECT_TRUE(exchange.respond(200, {{"X", "a\r\nSet-Cookie: b"}}, "")); }};
  RawClient client{server.path()};
  client.send(kPing);
  EXPECT_THAT(client.read_response(), HasSubstr("X: a  Set-Cookie: b\r\n"));
}

TEST(Server, ServesTcp) {
  auto listeners = listen_on("tcp://127.0.0.1:0");
  ASSERT_TRUE(listeners) << listeners.error().message();
  TestServer server{echo, *std::move(listeners)};
  const std::string name = server->names().front();
  ASSERT_THAT(name, StartsWith("tcp://127.0.0.1:"));
  const auto port = static_cast<std::uint16_t>(std::stoul(name.substr(name.rfind(':') + 1)));
  auto socket = sys::connect_tcp("127.0.0.1", port, soon());
  ASSERT_TRUE(socket) << socket.error().message();
  RawClient client{*std::move(socket)};
  client.send(kPing);
  EXPECT_THAT(client.read_response(), EndsWith("GET /_ping "));
}

}  // namespace
}  // namespace http
