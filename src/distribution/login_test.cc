/// What is asked of a registry without a repository: logging in, searching; and a file of the web.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "distribution/client.h"
#include "distribution/detail/login.h"
#include "distribution/testing/fake_server.h"

namespace {

using base::ErrorKind;
using distribution::Client;
using distribution::Credentials;
using distribution::testing::FakeReply;
using distribution::testing::FakeRequest;
using distribution::testing::FakeServer;
using testing::HasSubstr;
using testing::Not;

distribution::Options quick() {
  distribution::Options options;
  options.certs_dir = "/nonexistent";
  options.first_backoff = std::chrono::milliseconds{1};
  options.stall_timeout = std::chrono::seconds{2};
  return options;
}

Credentials user(const std::string& password) {
  Credentials credentials;
  credentials.username = "me";
  credentials.password = password;
  return credentials;
}

base::Result<std::string> log_in(const FakeServer& server, const Credentials& credentials) {
  return Client::create(quick()).value()->log_in(server.host(), credentials, {});
}

FakeReply refusal(const std::string& challenge) {
  FakeReply reply;
  reply.status = 401;
  reply.headers = {"WWW-Authenticate: " + challenge};
  return reply;
}

/// A registry with passwords: me:right.
FakeReply basic(const FakeRequest& request) {
  if (request.header("authorization") == "Basic " + base::base64("me:right")) return {};
  return refusal("Basic realm=\"x\"");
}

TEST(ServerAddress, MeansARegistry) {
  using distribution::detail::domain_of_server;
  EXPECT_EQ(domain_of_server("").value(), "docker.io");
  EXPECT_EQ(domain_of_server("https://index.docker.io/v1/").value(), "docker.io");
  EXPECT_EQ(domain_of_server("registry-1.docker.io").value(), "docker.io");
  EXPECT_EQ(domain_of_server("https://reg.example:5000/v2/").value(), "reg.example:5000");
  EXPECT_EQ(domain_of_server("http://reg.example").value(), "reg.example");
  EXPECT_EQ(domain_of_server("localhost").value(), "localhost");
  for (const auto* bad : {"a b", "http://", "../etc", "x:y"}) {
    EXPECT_TRUE(domain_of_server(bad).failed_as(ErrorKind::InvalidArgument)) << bad;
  }
}

TEST(Login, WithAPassword) {
  FakeServer server{basic};
  const auto token = log_in(server, user("right"));
  ASSERT_TRUE(token) << token.error().message();
  EXPECT_EQ(*token, "");
}

TEST(Login, WithAWrongPasswordIsRefusedAndDoesNotTellIt) {
  FakeServer server{basic};
  const auto token = log_in(server, user("wrong-secret"));
  ASSERT_TRUE(token.failed_as(ErrorKind::Unauthorized));
  EXPECT_EQ(token.error().message(),
            "login attempt to http://" + server.host() + "/v2/ failed with status: 401 Unauthorized");
}

TEST(Login, ARegistryThatAsksForNothingTakesAnybody) {
  FakeServer server{[](const FakeRequest&) { return FakeReply{}; }};
  EXPECT_TRUE(log_in(server, user("any")));
}

TEST(Login, ATokenServiceGivesAnIdentityToken) {
  FakeServer* self = nullptr;
  FakeServer server{[&](const FakeRequest& request) {
    FakeReply reply;
    if (request.path() == "/token") {
      if (request.method == "GET" && request.header("authorization") != "Basic " + base::base64("me:right")) {
        reply.status = 401;
        reply.body = R"({"details":"incorrect username or password"})";
      } else {
        reply.body = R"({"token":"short","refresh_token":"long-lived"})";
      }
      return reply;
    }
    if (request.header("authorization") != "Bearer short") {
      return refusal("Bearer realm=\"" + self->url() + "/token\",service=\"s\"");
    }
    return reply;
  }};
  self = &server;
  const auto token = log_in(server, user("right"));
  ASSERT_TRUE(token) << token.error().message();
  EXPECT_EQ(*token, "long-lived");
  const auto question = server.requests_for("/token").at(0).target;
  EXPECT_THAT(question, HasSubstr("offline_token=true"));
  EXPECT_THAT(question, HasSubstr("account=me"));
  EXPECT_THAT(question, Not(HasSubstr("scope=")));

  const auto refused = log_in(server, user("wrong-secret"));
  ASSERT_TRUE(refused.failed_as(ErrorKind::Unauthorized));
  EXPECT_EQ(refused.error().message(),
            "Get \"" + server.url() + "/v2/\": unauthorized: incorrect username or password");

  Credentials identity;
  identity.identity_token = "long-lived";
  ASSERT_TRUE(log_in(server, identity));
  EXPECT_THAT(server.requests_for("/token").back().body, HasSubstr("refresh_token=long-lived"));
}

TEST(Login, AnUnreachableRegistryIsUnavailable) {
  const auto token = Client::create(quick()).value()->log_in("127.0.0.1:1", user("x"), {});
  ASSERT_TRUE(token.failed_as(ErrorKind::Unavailable));
  EXPECT_THAT(token.error().message(), HasSubstr("connection refused"));
}

TEST(Search, AsksTheRegistryOfTheTerm) {
  FakeServer server{[](const FakeRequest& request) {
    FakeReply reply;
    if (request.path() != "/v1/search") {
      reply.status = 404;
      return reply;
    }
    reply.body = R"({"num_results":2,"results":[
      {"name":"nginx","description":"web","star_count":7,"is_official":true,"is_automated":false},
      {"name":"me/x","description":null,"unknown":1}]})";
    return reply;
  }};
  const auto client = Client::create(quick()).value();
  const auto found = client->search(server.host() + "/ng inx", 3, user("pw"), {});
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].name, "nginx");
  EXPECT_EQ((*found)[0].stars, 7);
  EXPECT_TRUE((*found)[0].official);
  EXPECT_EQ((*found)[1].description, "");
  const auto request = server.requests_for("/v1/search").at(0);
  EXPECT_EQ(request.target, "/v1/search?q=ng%20inx&n=3");
  EXPECT_EQ(request.header("authorization"), "Basic " + base::base64("me:pw"));
}

TEST(Search, SaysWhatIsWrong) {
  FakeServer none{[](const FakeRequest&) {
    FakeReply reply;
    reply.status = 404;
    return reply;
  }};
  FakeServer busy{[](const FakeRequest&) {
    FakeReply reply;
    reply.status = 429;
    reply.body = R"({"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]})";
    return reply;
  }};
  FakeServer junk{[](const FakeRequest&) {
    FakeReply reply;
    reply.body = "<html>";
    return reply;
  }};
  const auto client = Client::create(quick()).value();
  const auto no_search = client->search(none.host() + "/x", 0, {}, {});
  ASSERT_TRUE(no_search.failed_as(ErrorKind::NotImplemented));
  EXPECT_THAT(no_search.error().message(), HasSubstr("has no search"));
  const auto limited = client->search(busy.host() + "/x", 0, {}, {});
  ASSERT_TRUE(limited.failed_as(ErrorKind::Unavailable));
  EXPECT_THAT(limited.error().message(), HasSubstr("toomanyrequests: slow down"));
  EXPECT_TRUE(client->search(junk.host() + "/x", 0, {}, {}).failed_as(ErrorKind::InvalidArgument));
  EXPECT_TRUE(client->search("x", 101, {}, {}).failed_as(ErrorKind::InvalidArgument));
  EXPECT_TRUE(client->search("x", -1, {}, {}).failed_as(ErrorKind::InvalidArgument));
  EXPECT_TRUE(client->search("https://x/y", 1, {}, {}).failed_as(ErrorKind::InvalidArgument));
}

TEST(Fetch, FollowsRedirectsAndTellsTheSize) {
  FakeServer server{[](const FakeRequest& request) {
    FakeReply reply;
    if (request.path() == "/old") {
      reply.status = 302;
      reply.headers = {"Location: /new.tar"};
    } else if (request.path() == "/new.tar") {
      reply.body = "bytes";
    } else if (request.path() == "/loop") {
      reply.status = 302;
      reply.headers = {"Location: /loop"};
    } else {
      reply.status = 404;
    }
    return reply;
  }};
  const auto client = Client::create(quick()).value();
  auto file = client->fetch(server.url() + "/old", {});
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_EQ(file->size, 5U);
  EXPECT_EQ(base::read_all(*file->bytes, 100).value(), "bytes");
  const auto missing = client->fetch(server.url() + "/none?key=secret", {});
  ASSERT_TRUE(missing.failed_as(ErrorKind::NotFound));
  EXPECT_EQ(missing.error().message(), "failed to GET " + server.url() + "/none with status 404 Not Found");
  EXPECT_FALSE(client->fetch(server.url() + "/loop", {}));
  EXPECT_TRUE(client->fetch("ftp://x/y", {}).failed_as(ErrorKind::InvalidArgument));
  EXPECT_TRUE(client->fetch("file:///etc/passwd", {}).failed_as(ErrorKind::InvalidArgument));
}

}  // namespace
