#include "http/tls.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/detail/test_certificates.h"
#include "http/detail/test_support.h"

namespace http {
namespace {

using http::testing::RawClient;
using http::testing::soon;
using http::testing::TempDir;
using http::testing::TestServer;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string directory = dir_ / "";
    ASSERT_TRUE(http::testing::make_authority(directory, "ca"));
    ASSERT_TRUE(http::testing::make_authority(directory, "other-ca"));
    ASSERT_TRUE(http::testing::make_certificate(directory, "ca", "server", "IP:127.0.0.1,DNS:localhost"));
    ASSERT_TRUE(http::testing::make_certificate(directory, "ca", "elsewhere", "DNS:elsewhere.example"));
    ASSERT_TRUE(http::testing::make_certificate(directory, "ca", "alice", ""));
    ASSERT_TRUE(http::testing::make_certificate(directory, "other-ca", "mallory", ""));
  }

  [[nodiscard]] TlsFiles files(const std::string& name, const std::string& ca = "ca") const {
    if (name.empty()) return {.ca = dir_ / (ca + ".pem")};
    return {dir_ / (ca + ".pem"), dir_ / (name + ".pem"), dir_ / (name + "-key.pem")};
  }

  std::vector<Listener> listen(const std::string& certificate = "server") {
    auto context = TlsContext::server(files(certificate), VerifyPeer::Yes);
    EXPECT_TRUE(context) << context.error().message();
    auto listeners = listen_on("tcp://127.0.0.1:0", {.tls = *context});
    EXPECT_TRUE(listeners);
    return *std::move(listeners);
  }

  static std::uint16_t port_of(TestServer& server) {
    const std::string name = server->names().front();
    return static_cast<std::uint16_t>(std::stoul(name.substr(name.rfind(':') + 1)));
  }

  [[nodiscard]] Client client_of(TestServer& server, const std::string& certificate,
                                 const std::string& ca = "ca", const std::string& host = "127.0.0.1") const {
    auto context = TlsContext::client(files(certificate, ca), VerifyPeer::Yes);
    EXPECT_TRUE(context) << context.error().message();
    return Client{Endpoint{.host = host, .port = port_of(server), .tls = *context},
                  ClientOptions{.connect_timeout = milliseconds{10'000}}};
  }

  TempDir dir_;
};

void echo(Exchange& exchange) {
  const auto body = base::read_all(exchange.body(), 1 << 24);
  ASSERT_TRUE(body);
  EXPECT_TRUE(exchange.respond(200, {}, exchange.request().tls_subject + ":" + *body));
}

std::string text_of(Reply& reply) {
  auto text = base::read_all(reply, 1 << 24);
  EXPECT_TRUE(text);
  return text ? *text : std::string{};
}

TEST_F(Tls, KnowsAVerifiedClientAndKeepsItsConnection) {
  TestServer server{echo, listen()};
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    Client client = client_of(server, "alice", "ca", host);
    for (int i = 0; i < 3; ++i) {
      auto reply = client.send({.method = "POST", .target = "/", .body = std::string(50'000, 'x')});
      ASSERT_TRUE(reply) << reply.error().message();
      EXPECT_EQ(text_of(**reply), "alice:" + std::string(50'000, 'x'));
    }
  }
}

TEST_F(Tls, RefusesAClientWithoutACertificateOfTheCa) {
  TestServer server{[](Exchange&) { ADD_FAILURE() << "handled"; }, listen()};
  for (const std::string name : {"", "mallory"}) {
    Client client = client_of(server, name);
    EXPECT_FALSE(client.send({.target = "/"})) << name;
  }
}

TEST_F(Tls, RefusesAServerThatItsCaDidNotSign) {
  TestServer server{echo, listen()};
  Client client = client_of(server, "alice", "other-ca");
  const auto reply = client.send({.target = "/"});
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().is(base::ErrorKind::Unauthorized));
  EXPECT_THAT(reply.error().message(), HasSubstr("certificate in certificate chain"));
}

TEST_F(Tls, RefusesAServerOfAnotherName) {
  TestServer server{echo, listen("elsewhere")};
  const auto by_address = client_of(server, "alice").send({.target = "/"});
  ASSERT_FALSE(by_address);
  EXPECT_THAT(by_address.error().message(), HasSubstr("IP address mismatch"));
  const auto by_name = client_of(server, "alice", "ca", "localhost").send({.target = "/"});
  ASSERT_FALSE(by_name);
  EXPECT_THAT(by_name.error().message(), HasSubstr("hostname mismatch"));
}

TEST_F(Tls, StreamsBothWays) {
  TestServer server{[](Exchange& exchange) {
                      EXPECT_TRUE(exchange.begin(200, {}));
                      EXPECT_TRUE(base::copy(exchange.body(), exchange.sink()));
                      EXPECT_TRUE(exchange.finish());
                    },
                    listen()};
  Client client = client_of(server, "alice");
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + ",";
  base::StringSource source{text};
  auto reply = client.send({.method = "POST", .target = "/", .stream = &source});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(text_of(**reply), text);
}

TEST_F(Tls, BridgesAHijackedConnectionWithItsHalfCloses) {
  TestServer server{[](Exchange& exchange) {
                      auto upgraded = exchange.hijack_stream("application/vnd.docker.raw-stream");
                      ASSERT_TRUE(upgraded) << upgraded.error().message();
                      // After the handler's return, as the owner that the socket is passed to would.
                      std::thread{[socket = std::move(upgraded->socket), prefix = upgraded->prefix] {
                        const auto input = prefix + sys::read_to_end(socket.get()).value();
                        EXPECT_TRUE(sys::write_all(socket.get(), "got " + std::to_string(input.size())));
                      }}.detach();
                    },
                    listen()};
  Client client = client_of(server, "alice");
  auto reply = client.send({.method = "POST", .target = "/attach", .upgrade = true});
  ASSERT_TRUE(reply) << reply.error().message();
  auto upgraded = (*reply)->hijack();
  ASSERT_TRUE(upgraded) << upgraded.error().message();
  EXPECT_TRUE(sys::write_all(upgraded->socket.get(), std::string(1'000'000, 'x')));
  sys::shut_down(upgraded->socket.get(), sys::Direction::Write);
  EXPECT_EQ(upgraded->prefix + sys::read_to_end(upgraded->socket.get()).value(), "got 1000000");
}

TEST_F(Tls, ABridgeEndsWithEitherSide) {
  std::binary_semaphore ended{0};
  TestServer server{[&](Exchange& exchange) {
                      auto upgraded = exchange.hijack_stream("application/vnd.docker.raw-stream");
                      ASSERT_TRUE(upgraded);
                      EXPECT_EQ(sys::read_to_end(upgraded->socket.get()).value(), "");
                      ended.release();
                    },
                    listen()};
  {
    Client client = client_of(server, "alice");
    auto reply = client.send({.method = "POST", .target = "/attach", .upgrade = true});
    ASSERT_TRUE(reply);
    auto upgraded = (*reply)->hijack();
    ASSERT_TRUE(upgraded);
  }
  EXPECT_TRUE(ended.try_acquire_for(std::chrono::seconds{10}));
}

TEST_F(Tls, NoticesAClientThatGoes) {
  std::binary_semaphore gone{0};
  TestServer server{[&](Exchange& exchange) {
                      EXPECT_TRUE(exchange.begin(200, {}));
                      std::binary_semaphore stopped{0};
                      const std::stop_callback callback{exchange.stop_token(), [&] { stopped.release(); }};
                      EXPECT_TRUE(stopped.try_acquire_for(std::chrono::seconds{10}));
                      gone.release();
                    },
                    listen()};
  {
    Client client = client_of(server, "alice");
    ASSERT_TRUE(client.send({.target = "/events"}));
  }
  EXPECT_TRUE(gone.try_acquire_for(std::chrono::seconds{10}));
}

TEST_F(Tls, PlainHttpAndSilenceAreDropped) {
  TestServer server{[](Exchange&) { ADD_FAILURE() << "handled"; }, listen(),
                    ServerOptions{.head_timeout = milliseconds{100}}};
  auto plain = sys::connect_tcp("127.0.0.1", port_of(server), soon());
  ASSERT_TRUE(plain);
  RawClient client{*std::move(plain)};
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.closed(milliseconds{5000}));
  auto silent = sys::connect_tcp("127.0.0.1", port_of(server), soon());
  ASSERT_TRUE(silent);
  EXPECT_TRUE(RawClient{*std::move(silent)}.closed(milliseconds{5000}));
}

TEST_F(Tls, NamesTheFileThatIsWrong) {
  EXPECT_THAT(TlsContext::server({}, VerifyPeer::No).error().message(), HasSubstr("certificate and a key"));
  TlsFiles wrong = files("server");
  wrong.key = dir_ / "alice-key.pem";
  EXPECT_THAT(TlsContext::server(wrong, VerifyPeer::Yes).error().message(), HasSubstr("key"));
  wrong.certificate = dir_ / "none.pem";
  EXPECT_THAT(TlsContext::server(wrong, VerifyPeer::Yes).error().message(),
              StartsWith("could not load the TLS certificate " + (dir_ / "none.pem")));
}

}  // namespace
}  // namespace http
