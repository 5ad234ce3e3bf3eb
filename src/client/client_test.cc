#include "client/client.h"

#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "client/containers.h"
#include "client/images.h"
#include "client/ssh.h"
#include "http/server.h"
#include "sys/file.h"
#include "sys/stream_socket.h"

namespace client {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::StartsWith;

/// A daemon that records what it was asked and answers by a script.
class FakeDaemon : public http::Handler {
 public:
  struct Seen {
    std::string method, target, body, type;
    http::Headers headers;
  };

  FakeDaemon() {
    EXPECT_NE(::mkdtemp(dir_.data()), nullptr);
    auto listeners = http::listen_on(host());
    EXPECT_TRUE(listeners);
    auto server = http::Server::start(*this, *std::move(listeners));
    EXPECT_TRUE(server);
    server_ = *std::move(server);
  }
  ~FakeDaemon() override {
    server_.reset();
    EXPECT_TRUE(sys::remove_tree(sys::kCwd, dir_));
  }

  void handle(http::Exchange& exchange) override {
    const auto& request = exchange.request();
    if (request.path == "/_ping") {
      EXPECT_TRUE(
          exchange.respond(200, {{"API-Version", api_version}, {"OSType", "linux"}, {"Server", "x"}}, "OK"));
      return;
    }
    auto body = base::read_all(exchange.body(), 1 << 20);
    EXPECT_TRUE(body);
    seen = {request.method, request.target, *body, std::string{request.headers.get("Content-Type")},
            request.headers};
    if (!stream_type.empty()) {
      auto upgraded = exchange.hijack_stream(stream_type);
      ASSERT_TRUE(upgraded);
      base::ignore(sys::send_now(upgraded->socket.get(), answer),
                   "a client that has what it wanted may be gone");
      return;
    }
    if (!hold) {
      EXPECT_TRUE(exchange.respond(status, {{"Content-Type", "application/json"}}, answer));
      return;
    }
    EXPECT_TRUE(exchange.begin(status, {{"Content-Type", "application/json"}}));
    hold->acquire();
    EXPECT_TRUE(exchange.write(answer));
    base::ignore(exchange.finish(), "a client that has what it wanted may be gone");
  }

  [[nodiscard]] std::string host() const { return "unix://" + dir_ + "/d.sock"; }
  std::unique_ptr<Client> client(std::string pinned = {}) {
    auto opened = Client::open({.host = host(), .api_version = std::move(pinned)}, "Docker-Client/28");
    EXPECT_TRUE(opened);
    return *std::move(opened);
  }

  std::string api_version = "1.47";
  int status = 200;
  std::string answer;
  std::string stream_type;
  std::binary_semaphore* hold = nullptr;
  Seen seen;

 private:
  std::string dir_ = "/tmp/caisson-client-XXXXXX";
  std::unique_ptr<http::Server> server_;
};

TEST(Client, SpeaksTheLowerVersionOfBoth) {
  FakeDaemon daemon;
  EXPECT_EQ(daemon.client()->api_version().value(), "1.47");
  daemon.api_version = "1.99";
  EXPECT_EQ(daemon.client()->api_version().value(), kApiVersion);
  daemon.api_version = "";
  EXPECT_EQ(daemon.client()->api_version().value(), "1.24");
  EXPECT_EQ(daemon.client("1.41")->api_version().value(), "1.41");
}

TEST(Client, CallsTheVersionedPath) {
  FakeDaemon daemon;
  daemon.answer = R"({"Id": "abc", "Warnings": ["w"]})";
  CreateOptions options{.name = "my c"};
  options.request.config.image = "busybox";
  const auto client = daemon.client();
  const auto created = Containers{*client}.create(options);
  ASSERT_TRUE(created) << created.error().message();
  EXPECT_EQ(created->id, "abc");
  EXPECT_THAT(created->warnings, ElementsAre("w"));
  EXPECT_EQ(daemon.seen.method, "POST");
  EXPECT_EQ(daemon.seen.target, "/v1.47/containers/create?name=my+c");
  EXPECT_EQ(daemon.seen.type, "application/json");
  EXPECT_EQ(daemon.seen.headers.get("User-Agent"), "Docker-Client/28");
  EXPECT_EQ(codec::Json::parse(daemon.seen.body).value()["Image"].as_string(), "busybox");
}

TEST(Client, SendsEveryParameter) {
  FakeDaemon daemon;
  daemon.status = 204;
  const auto client = daemon.client("1.51");
  Containers containers{*client};
  EXPECT_TRUE(containers.stop("c/1", {.signal = "SIGINT", .timeout = -1}));
  EXPECT_EQ(daemon.seen.target, "/v1.51/containers/c%2F1/stop?signal=SIGINT&t=-1");
  EXPECT_TRUE(containers.remove("c", {.volumes = true, .force = true}));
  EXPECT_EQ(daemon.seen.method + daemon.seen.target, "DELETE/v1.51/containers/c?v=1&force=1");
  EXPECT_TRUE(containers.resize("c", 24, 80));
  EXPECT_EQ(daemon.seen.target, "/v1.51/containers/c/resize?h=24&w=80");
  daemon.status = 200;
  daemon.answer = "[]";
  EXPECT_TRUE(containers.list({.all = true, .limit = 3, .filters = {{"name", {"a", "b"}}}}));
  EXPECT_EQ(daemon.seen.target, "/v1.51/containers/json?all=1&limit=3&filters=" +
                                    http::encode_query(R"({"name":{"a":true,"b":true}})"));
  EXPECT_TRUE(Images{*client}.remove("localhost:5000/a b:1", true, true));
  EXPECT_EQ(daemon.seen.target, "/v1.51/images/localhost:5000/a%20b:1?force=1&noprune=1");
}

TEST(Client, NotModifiedIsASuccess) {
  FakeDaemon daemon;
  daemon.status = 304;
  const auto client = daemon.client();
  EXPECT_TRUE(Containers{*client}.start("c"));
}

TEST(Client, SaysTheDaemonsErrorsAsDockerDoes) {
  FakeDaemon daemon;
  daemon.status = 404;
  daemon.answer = "{\"message\":\"No such container: x\"}\n";
  const auto client = daemon.client();
  const auto missing = Containers{*client}.inspect("x");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().is(base::ErrorKind::NotFound));
  EXPECT_EQ(missing.error().message(), "Error response from daemon: No such container: x");
  daemon.status = 502;
  daemon.answer = "<html>bad gateway</html>";
  EXPECT_EQ(Containers{*client}.inspect("x").error().message(),
            "Error response from daemon: <html>bad gateway</html>");
  daemon.status = 500;
  daemon.answer = "";
  EXPECT_EQ(
      Containers{*client}.pause("x").error().message(),
      "request returned Internal Server Error for API route and version /v1.47/containers/x/pause, check "
      "if the server supports the requested API version");
  EXPECT_FALSE(is_connection_failure(missing.error()));
}

TEST(Client, SaysThatNoDaemonIsThere) {
  auto client = Client::open({.host = "unix:///nonexistent/docker.sock"});
  ASSERT_TRUE(client);
  const auto result = (*client)->info();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(),
            "Cannot connect to the Docker daemon at unix:///nonexistent/docker.sock. Is the docker daemon "
            "running?");
  EXPECT_TRUE(is_connection_failure(result.error()));
  auto tcp = Client::open({.host = "tcp://127.0.0.1:1"});
  ASSERT_TRUE(tcp);
  EXPECT_TRUE(is_connection_failure((*tcp)->info().error()));
}

TEST(Client, ReadsAStreamOfEvents) {
  FakeDaemon daemon;
  daemon.answer =
      "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"1\"}}\n"
      "{\"Type\":\"container\",\"Action\":\"die\"}";
  const auto client = daemon.client();
  auto events = client->events({.since = "0", .filters = {{"type", {"container"}}}});
  ASSERT_TRUE(events);
  EXPECT_THAT(daemon.seen.target, StartsWith("/v1.47/events?since=0&filters="));
  const auto first = events->next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((**first).actor.id, "1");
  EXPECT_EQ(events->next().value()->action, "die");
  EXPECT_EQ(events->next().value(), std::nullopt);
}

TEST(Client, ACutStreamIsAnError) {
  FakeDaemon daemon;
  daemon.answer = "{\"status\":\"Pulling\"}\r\n{\"status\":";
  const auto client = daemon.client();
  auto progress = Images{*client}.pull(
      {.reference = "busybox", .tag = "latest", .auth = RegistryAuth{.username = "u", .password = "p"}});
  ASSERT_TRUE(progress);
  EXPECT_EQ(daemon.seen.target, "/v1.47/images/create?fromImage=busybox&tag=latest");
  EXPECT_EQ(base::base64_decode(daemon.seen.headers.get("X-Registry-Auth")),
            R"({"username":"u","password":"p"})");
  EXPECT_EQ(progress->next().value()->status, "Pulling");
  EXPECT_TRUE(progress->next().failed_as(base::ErrorKind::Unavailable));
}

TEST(Client, LoadsAnArchive) {
  FakeDaemon daemon;
  daemon.answer = R"({"stream":"Loaded image: x\n"})";
  const auto client = daemon.client();
  base::StringSource archive{"tar bytes"};
  auto progress = Images{*client}.load(archive, true);
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->next().value()->stream, "Loaded image: x\n");
  EXPECT_EQ(daemon.seen.body, "tar bytes");
  EXPECT_EQ(daemon.seen.type, "application/x-tar");
}

TEST(Client, WaitsWithoutBlocking) {
  FakeDaemon daemon;
  std::binary_semaphore ended{0};
  daemon.hold = &ended;
  daemon.answer = "{\"StatusCode\":3}\n";
  const auto client = daemon.client();
  auto wait = Containers{*client}.wait("c", "next-exit");
  ASSERT_TRUE(wait);
  EXPECT_EQ(daemon.seen.target, "/v1.47/containers/c/wait?condition=next-exit");
  EXPECT_FALSE(wait->check().value());
  ended.release();
  ASSERT_TRUE(
      *sys::wait_ready(wait->fd(), POLLIN, std::chrono::steady_clock::now() + std::chrono::seconds{10}));
  EXPECT_EQ(wait->get().value().status_code, 3);
}

TEST(Client, Attaches) {
  FakeDaemon daemon;
  daemon.stream_type = "application/vnd.docker.multiplexed-stream";
  daemon.answer = "output";
  const auto client = daemon.client();
  auto stream = Containers{*client}.attach("c", {.in = true, .out = true, .detach_keys = "ctrl-a"});
  ASSERT_TRUE(stream) << stream.error().message();
  EXPECT_EQ(daemon.seen.target, "/v1.47/containers/c/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-a");
  EXPECT_EQ(stream->multiplexed, true);
  EXPECT_EQ(stream->prefix + sys::read_to_end(stream->socket.get()).value(), "output");
  daemon.stream_type = "application/vnd.docker.raw-stream";
  auto exec = Execs{*client}.start("e", {.tty = true});
  ASSERT_TRUE(exec);
  EXPECT_EQ(exec->multiplexed, std::nullopt);
  EXPECT_EQ(codec::Json::parse(daemon.seen.body).value()["Tty"].as_bool(), true);
}

TEST(Target, ParsesHosts) {
  EXPECT_EQ(endpoint_of({.host = "unix:///a/b"})->unix_path, "/a/b");
  EXPECT_EQ(endpoint_of({})->unix_path, "/run/caisson/caissond.sock");
  const auto tcp = endpoint_of({.host = "tcp://example.org"});
  ASSERT_TRUE(tcp);
  EXPECT_EQ(tcp->host, "example.org");
  EXPECT_EQ(tcp->port, 2375);
  EXPECT_EQ(endpoint_of({.host = "tcp://[::1]:99"})->host, "::1");
  EXPECT_EQ(endpoint_of({.host = "tcp://[::1]:99"})->port, 99);
  EXPECT_EQ(endpoint_of({.host = "tcp://:80"})->host, "127.0.0.1");
  EXPECT_EQ(endpoint_of({.host = "nonsense"}).error().message(), "unable to parse docker host `nonsense`");
  EXPECT_TRUE(endpoint_of({.host = "tcp://h:99999"}).failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_TRUE(endpoint_of({.host = "fd://h"}).failed_as(base::ErrorKind::NotImplemented));
  EXPECT_NE(endpoint_of({.host = "ssh://h"})->dialer, nullptr);
}

TEST(Target, CompletesHosts) {
  for (const auto& [text, whole] : std::vector<std::pair<const char*, const char*>>{
           {"", "unix:///run/caisson/caissond.sock"},
           {"unix://", "unix:///run/caisson/caissond.sock"},
           {"unix:///x", "unix:///x"},
           {"h", "tcp://h:2375"},
           {"h:1", "tcp://h:1"},
           {":1", "tcp://localhost:1"},
           {"tcp://", "tcp://localhost:2375"},
           {"tcp://:", "tcp://localhost:2375"},
           {" tcp://h:1 ", "tcp://h:1"},
           {"tcp://h:1/x", "tcp://h:1/x"},
           {"[::1]:1", "tcp://[::1]:1"},
           {"tcp://::1", "tcp://[::1]:2375"},
           {"ssh://u@h", "ssh://u@h"}}) {
    const auto host = complete_host(text, false);
    ASSERT_TRUE(host) << text;
    EXPECT_EQ(*host, whole);
  }
  EXPECT_EQ(*complete_host("", true), "tcp://localhost:2376");
  EXPECT_EQ(*complete_host("h", true), "tcp://h:2376");
  EXPECT_EQ(complete_host("http://h", false).error().message(), "invalid bind address format: http://h");
  EXPECT_EQ(complete_host("tcp://[::1]", false).error().message(), "invalid bind address format: [::1]");
  EXPECT_EQ(complete_host("tcp://h:x", false).error().message(), "parse \"tcp://h:x\": invalid port \":x\" after host");
}

std::string ssh_line(std::string_view url) {
  const auto host = parse_ssh_host(url);
  return host ? base::join(ssh_command(*host, "docker"), " ") : host.error().message();
}

TEST(Ssh, CallsSsh) {
  EXPECT_EQ(ssh_line("ssh://h"), "ssh -o ConnectTimeout=30 -T -- h docker system dial-stdio");
  EXPECT_EQ(ssh_line("ssh://u@h:22"), "ssh -o ConnectTimeout=30 -T -l u -p 22 -- h docker system dial-stdio");
  EXPECT_EQ(ssh_line("ssh://h/run/x.sock"),
            "ssh -o ConnectTimeout=30 -T -- h docker --host unix:///run/x.sock system dial-stdio");
  EXPECT_EQ(ssh_line("ssh://u@[::1]:22/"), "ssh -o ConnectTimeout=30 -T -l u -p 22 -- ::1 docker system dial-stdio");
}

TEST(Ssh, RefusesWhatIsNoAddress) {
  constexpr std::string_view kBad = "ssh host connection is not valid: invalid SSH URL: ";
  EXPECT_EQ(ssh_line("ssh://"), std::string{kBad} + "hostname is empty");
  EXPECT_EQ(ssh_line("ssh://u:p@h"), std::string{kBad} + "plain-text password is not supported");
  EXPECT_EQ(ssh_line("ssh://h?x"), std::string{kBad} + "query parameters are not allowed: \"x\"");
  EXPECT_EQ(ssh_line("ssh://h#x"), std::string{kBad} + "fragments are not allowed: \"x\"");
  for (const char* bad : {"ssh://-oProxyCommand=x", "ssh://-l@h", "ssh://h/$(x)", "ssh://h/a b", "ssh://h:x", "ssh://h:99999"}) {
    EXPECT_TRUE(ssh_line(bad).starts_with(kBad)) << bad;
  }
}

TEST(Target, NamesACertificateThatIsMissing) {
  const auto endpoint = endpoint_of({.host = "tcp://h:1", .tls_verify = true, .ca = "/nonexistent/ca.pem"});
  ASSERT_FALSE(endpoint);
  EXPECT_THAT(endpoint.error().message(), StartsWith("could not read CA certificate /nonexistent/ca.pem: "));
}

}  // namespace
}  // namespace client
