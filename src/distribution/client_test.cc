#include "distribution/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "codec/sha256.h"
#include "distribution/testing/fake_server.h"

namespace {

using base::ErrorKind;
using distribution::Client;
using distribution::Credentials;
using distribution::testing::FakeRegistry;
using distribution::testing::FakeReply;
using distribution::testing::FakeRequest;
using distribution::testing::FakeServer;
using testing::HasSubstr;
using testing::StartsWith;

distribution::Options quick() {
  distribution::Options options;
  options.certs_dir = "/nonexistent";
  options.first_backoff = std::chrono::milliseconds{1};
  options.stall_timeout = std::chrono::seconds{2};
  return options;
}

spec::Reference name(const std::string& text) { return spec::Reference::parse(text).value(); }

std::unique_ptr<distribution::Repository> open(const FakeServer& server, const Credentials& credentials = {},
                                               const distribution::Options& options = quick()) {
  auto client = Client::create(options).value();
  auto repository = client->open(name(server.host() + "/app:1"), credentials, {});
  EXPECT_TRUE(repository) << repository.error().message();
  return repository ? *std::move(repository) : nullptr;
}

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::minstd_rand random{static_cast<unsigned>(size)};
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

spec::Descriptor describe_blob(const std::string& bytes) {
  return spec::Descriptor::of(spec::media::kOciLayer, codec::sha256(bytes), bytes.size());
}

struct Blob {
  explicit Blob(FakeRegistry& registry, std::size_t size = 1 << 20)
      : bytes{random_bytes(size)}, descriptor{describe_blob(bytes)} {
    registry.put("app/blobs/" + descriptor.digest_text, bytes);
  }
  std::string bytes;
  spec::Descriptor descriptor;
};

base::Result<std::string> download(distribution::Repository& repository, const spec::Descriptor& blob,
                                   std::uint64_t offset = 0, std::stop_token stop = {}) {
  const auto source = TRY(repository.open_blob(blob, offset, std::move(stop)));
  return base::read_all(*source, std::size_t{1} << 30U);
}

TEST(Registry, ServesManifestsByTagAndDigest) {
  FakeRegistry registry;
  const std::string text = R"({"schemaVersion":2})";
  const auto digest = codec::sha256(text);
  registry.put("app/manifests/1", text, std::string{spec::media::kOciManifest} + "; charset=utf-8");
  registry.put("app/manifests/" + digest.str(), text, std::string{spec::media::kOciManifest});
  const auto repository = open(registry.server);
  const auto manifest = repository->manifest("1", {});
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->bytes, text);
  EXPECT_EQ(manifest->digest, digest);
  EXPECT_EQ(manifest->media_type, spec::media::kOciManifest);
  EXPECT_TRUE(repository->manifest(digest.str(), {}));
  EXPECT_EQ(repository->endpoint(), registry.server.url());
  // https was tried first, over a connection of its own; all the rest went over one.
  EXPECT_LE(registry.server.connections(), 2);
}

TEST(Registry, RefusesAManifestOfAnotherDigest) {
  FakeRegistry registry;
  const auto wanted = codec::sha256("what was asked for");
  registry.put("app/manifests/" + wanted.str(), "{}");
  const auto manifest = open(registry.server)->manifest(wanted.str(), {});
  ASSERT_FALSE(manifest);
  EXPECT_TRUE(manifest.error().is(ErrorKind::InvalidArgument));
  EXPECT_THAT(manifest.error().message(), HasSubstr("digest mismatch"));
}

TEST(Registry, RefusesAnEndlessManifest) {
  FakeRegistry registry;
  registry.put("app/manifests/1", std::string(distribution::kManifestLimit + 1, ' '));
  EXPECT_TRUE(open(registry.server)->manifest("1", {}).failed_as(ErrorKind::InvalidArgument));
}

TEST(Registry, SaysNotFoundAsDockerDoes) {
  FakeRegistry registry;
  const auto manifest = open(registry.server)->manifest("1", {});
  ASSERT_FALSE(manifest);
  EXPECT_TRUE(manifest.error().is(ErrorKind::NotFound));
  EXPECT_EQ(manifest.error().message(), "manifest for " + registry.server.host() +
                                            "/app:1 not found: manifest unknown: manifest unknown");
}

TEST(Registry, SaysAccessDeniedAsDockerDoes) {
  FakeServer server{[](const FakeRequest& request) {
    FakeReply reply;
    if (request.path() == "/v2/") return reply;
    reply.status = 401;
    reply.headers = {
        R"(WWW-Authenticate: Bearer realm="http://127.0.0.1:1/none",error="insufficient_scope")"};
    return reply;
  }};
  Credentials credentials;
  credentials.registry_token = "t";
  const auto manifest = open(server, credentials)->manifest("1", {});
  ASSERT_FALSE(manifest);
  EXPECT_TRUE(manifest.error().is(ErrorKind::NotFound));
  EXPECT_EQ(manifest.error().message(),
            "pull access denied for " + server.host() +
                "/app, repository does not exist or may require 'docker login': denied: "
                "requested access to the resource is denied");
}

TEST(Registry, UnreachableIsSaidAsDockerDoes) {
  std::string host;
  {
    FakeRegistry registry;
    host = registry.server.host();
  }
  const auto client = Client::create(quick()).value();
  const auto repository = client->open(name(host + "/app:1"), {}, {});
  ASSERT_FALSE(repository);
  EXPECT_TRUE(repository.error().is(ErrorKind::Unavailable));
  EXPECT_EQ(repository.error().message(),
            "Get \"http://" + host + "/v2/\": dial tcp " + host + ": connect: connection refused");
}

TEST(Registry, UnknownHostIsSaidAsDockerDoes) {
  const auto client = Client::create(quick()).value();
  const auto begin = std::chrono::steady_clock::now();
  const auto repository = client->open(name("registry.invalid/app:1"), {}, {});
  ASSERT_FALSE(repository);
  EXPECT_TRUE(repository.error().is(ErrorKind::Unavailable));
  EXPECT_THAT(repository.error().message(),
              StartsWith("Get \"https://registry.invalid/v2/\": dial tcp: lookup registry.invalid: "));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{10});
}

TEST(Blob, ComesAsItIs) {
  FakeRegistry registry;
  const Blob blob{registry, 3 << 20};
  const auto repository = open(registry.server);
  EXPECT_EQ(download(*repository, blob.descriptor).value(), blob.bytes);
  EXPECT_EQ(download(*repository, blob.descriptor, 1000).value(), blob.bytes.substr(1000));
  EXPECT_EQ(download(*repository, blob.descriptor, blob.bytes.size()).value(), "");
  EXPECT_EQ(repository->read_blob(blob.descriptor, 4 << 20, {}).value(), blob.bytes);
  EXPECT_TRUE(repository->read_blob(blob.descriptor, 1 << 20, {}).failed_as(ErrorKind::InvalidArgument));
}

TEST(Blob, ResumesByRangeWhenTheConnectionBreaks) {
  FakeRegistry registry;
  const Blob blob{registry};
  std::atomic<int> cuts = 0;
  registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos || cuts++ >= 2) return std::nullopt;
    reply.cut_after = 300'000;
    return reply;
  });
  EXPECT_EQ(download(*open(registry.server), blob.descriptor).value(), blob.bytes);
  const auto requests = registry.server.requests_for("/blobs/");
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].header("range"), "");
  EXPECT_EQ(requests[1].header("range"), "bytes=300000-");
  EXPECT_EQ(requests[2].header("range"), "bytes=600000-");
}

TEST(Blob, SkipsWhereTheServerIgnoresRange) {
  FakeRegistry registry;
  const Blob blob{registry};
  std::atomic<int> requests = 0;
  registry.set_trouble([&](const FakeRequest& request, FakeReply) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    FakeReply whole;
    whole.body = blob.bytes;
    if (requests++ == 0) whole.cut_after = 400'000;
    return whole;
  });
  EXPECT_EQ(download(*open(registry.server), blob.descriptor).value(), blob.bytes);
  EXPECT_EQ(requests, 2);
}

TEST(Blob, WithoutLengthStillKnowsThatItWasCut) {
  FakeRegistry registry;
  const Blob blob{registry};
  std::atomic<int> requests = 0;
  registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    reply.send_length = false;
    if (requests++ == 0) reply.body.resize(500'000);
    return reply;
  });
  EXPECT_EQ(download(*open(registry.server), blob.descriptor).value(), blob.bytes);
  EXPECT_EQ(requests, 2);
}

TEST(Blob, WaitsAsLongAsTheRegistryAsks) {
  FakeRegistry registry;
  const Blob blob{registry};
  std::atomic<int> requests = 0;
  registry.set_trouble([&](const FakeRequest& request, FakeReply) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos || requests++ > 0) return std::nullopt;
    FakeReply busy;
    busy.status = 429;
    busy.headers = {"Retry-After: 1"};
    return busy;
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(download(*open(registry.server), blob.descriptor).value(), blob.bytes);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds{1});
}

class Observer final : public distribution::RetryObserver {
 public:
  void retrying(std::chrono::seconds, const base::Error&) override { ++count; }
  int count = 0;
};

TEST(Blob, GivesUpWhenTheRegistryIsGone) {
  FakeRegistry registry;
  const Blob blob{registry};
  registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    reply.cut_after = 300'000;
    return reply;
  });
  const auto repository = open(registry.server);
  Observer observer;
  const auto source = repository->open_blob(blob.descriptor, 0, {}, &observer);
  ASSERT_TRUE(source);
  std::string head(300'000, '\0');
  for (std::size_t at = 0; at < head.size();) {
    at += (*source)->read(std::span{head}.subspan(at)).value();
  }
  EXPECT_EQ(head, blob.bytes.substr(0, 300'000));
  registry.server.stop();
  char more = 0;
  const auto rest = (*source)->read({&more, 1});
  ASSERT_FALSE(rest);
  EXPECT_TRUE(rest.error().is(ErrorKind::Unavailable));
  EXPECT_THAT(rest.error().message(), HasSubstr("connection refused"));
  EXPECT_EQ(observer.count, quick().attempts - 1);
}

TEST(Blob, DripsDoNotGoOnForEver) {
  FakeRegistry registry;
  const Blob blob{registry};
  registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    reply.cut_after = 1;
    return reply;
  });
  EXPECT_TRUE(download(*open(registry.server), blob.descriptor).failed_as(ErrorKind::Unavailable));
  EXPECT_LT(registry.server.requests_for("/blobs/").size(), 10U);
}

TEST(Blob, OfAnotherSizeIsRefusedAtOnce) {
  FakeRegistry registry;
  const Blob blob{registry};
  auto wrong = blob.descriptor;
  wrong.size += 1;
  const auto got = download(*open(registry.server), wrong);
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().is(ErrorKind::InvalidArgument));
}

TEST(Blob, ASilentServerTimesOutAndCancellationIsPrompt) {
  FakeRegistry registry;
  const Blob blob{registry};
  registry.set_trouble([&](const FakeRequest& request, FakeReply) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    FakeReply silence;
    silence.hang = true;
    return silence;
  });
  auto options = quick();
  options.stall_timeout = std::chrono::seconds{1};
  options.attempts = 1;
  EXPECT_THAT(download(*open(registry.server, {}, options), blob.descriptor).error().message(),
              HasSubstr("timeout"));

  options.stall_timeout = std::chrono::seconds{60};
  const auto repository = open(registry.server, {}, options);
  std::stop_source stop;
  std::jthread canceller{[&] {
    poll(nullptr, 0, 100);
    stop.request_stop();
  }};
  const auto begin = std::chrono::steady_clock::now();
  const auto got = download(*repository, blob.descriptor, 0, stop.get_token());
  EXPECT_THAT(got.error().message(), HasSubstr("context canceled"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{2});
}

TEST(Blob, RedirectsDoNotCarryCredentialsToAnotherHost) {
  const std::string bytes = random_bytes(100'000);
  FakeServer storage{[&](const FakeRequest&) {
    FakeReply reply;
    reply.body = bytes;
    return reply;
  }};
  FakeServer registry{[&](const FakeRequest& request) {
    FakeReply reply;
    if (request.header("authorization") != "Basic dTpw") {
      reply.status = 401;
      reply.headers = {"WWW-Authenticate: Basic realm=\"x\""};
    } else if (request.path() != "/v2/") {
      reply.status = 307;
      reply.headers = {"Location: " + storage.url() + "/data?signature=secret"};
    }
    return reply;
  }};
  Credentials credentials;
  credentials.username = "u";
  credentials.password = "p";
  EXPECT_EQ(download(*open(registry, credentials), describe_blob(bytes)).value(), bytes);
  ASSERT_EQ(storage.requests().size(), 1U);
  EXPECT_EQ(storage.requests()[0].header("authorization"), "");
  EXPECT_EQ(registry.requests_for("/blobs/")[0].header("authorization"), "Basic dTpw");
}

TEST(Auth, BasicWithoutCredentialsIsSaidSo) {
  FakeServer registry{[](const FakeRequest&) {
    FakeReply reply;
    reply.status = 401;
    reply.headers = {"WWW-Authenticate: Basic realm=\"x\""};
    return reply;
  }};
  const auto manifest = open(registry)->manifest("1", {});
  ASSERT_FALSE(manifest);
  EXPECT_TRUE(manifest.error().is(ErrorKind::Unauthorized));
  EXPECT_THAT(manifest.error().message(), HasSubstr("no basic auth credentials"));
}

/// A registry with a token service; each token is good for `uses` requests.
class TokenRegistry {
 public:
  explicit TokenRegistry(int uses) : uses_{uses} {}
  FakeReply handle(const FakeRequest& request, const std::string& url) {
    const std::scoped_lock lock{mutex_};
    FakeReply reply;
    if (request.path() == "/token") {
      ++issued;
      left_ = uses_;
      reply.body = R"({"access_token":"t)" + std::to_string(issued) + R"(","expires_in":300})";
      return reply;
    }
    if (request.header("authorization") != "Bearer t" + std::to_string(issued) || left_-- <= 0) {
      reply.status = 401;
      reply.headers = {"WWW-Authenticate: Bearer realm=\"" + url +
                       "/token\",service=\"reg,istry\",scope=\"x\""};
      return reply;
    }
    reply.body = "{}";
    return reply;
  }
  int issued = 0;

 private:
  std::mutex mutex_;
  int uses_, left_ = 0;
};

TEST(Auth, FetchesATokenAndAnotherWhenItIsRefused) {
  TokenRegistry tokens{2};
  FakeServer* self = nullptr;
  FakeServer server{[&](const FakeRequest& request) { return tokens.handle(request, self->url()); }};
  self = &server;
  const auto repository = open(server);
  for (int i = 0; i < 4; ++i) {
    const auto manifest = repository->manifest("1", {});
    ASSERT_TRUE(manifest) << manifest.error().message();
  }
  EXPECT_EQ(tokens.issued, 2);
  const auto request = server.requests_for("/token").at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_THAT(request.target, HasSubstr("scope=repository%3Aapp%3Apull"));
  EXPECT_THAT(request.target, HasSubstr("service=reg%2Cistry"));
  EXPECT_EQ(request.header("authorization"), "");
}

TEST(Auth, GivesTheTokenServiceWhatItNeeds) {
  TokenRegistry tokens{100};
  FakeServer* self = nullptr;
  FakeServer server{[&](const FakeRequest& request) { return tokens.handle(request, self->url()); }};
  self = &server;
  Credentials user;
  user.username = "us er";
  user.password = "pa:ss";
  ASSERT_TRUE(open(server, user)->manifest("1", {}));
  auto request = server.requests_for("/token").back();
  EXPECT_EQ(request.header("authorization"), "Basic " + base::base64("us er:pa:ss"));
  EXPECT_THAT(request.target, HasSubstr("account=us%20er"));

  Credentials identity;
  identity.identity_token = "refresh+me";
  ASSERT_TRUE(open(server, identity)->manifest("1", {}));
  request = server.requests_for("/token").back();
  EXPECT_EQ(request.method, "POST");
  EXPECT_THAT(request.body, HasSubstr("grant_type=refresh_token"));
  EXPECT_THAT(request.body, HasSubstr("refresh_token=refresh%2Bme"));
}

TEST(Auth, RefusedCredentialsAreSaidSo) {
  FakeServer* self = nullptr;
  FakeServer server{[&](const FakeRequest& request) {
    FakeReply reply;
    reply.status = 401;
    if (request.path() == "/token") {
      reply.body = R"({"details":"incorrect username or password"})";
    } else {
      reply.headers = {"WWW-Authenticate: Bearer realm=\"" + self->url() + "/token\",service=\"s\""};
    }
    return reply;
  }};
  self = &server;
  Credentials user;
  user.username = "u";
  user.password = "secret-password";
  const auto manifest = open(server, user)->manifest("1", {});
  ASSERT_FALSE(manifest);
  EXPECT_TRUE(manifest.error().is(ErrorKind::Unauthorized));
  EXPECT_THAT(manifest.error().message(), HasSubstr("unauthorized: incorrect username or password"));
  EXPECT_THAT(manifest.error().message(), testing::Not(HasSubstr("secret-password")));
}

TEST(Mirror, IsAskedFirstAndLeftWhenItHasNothing) {
  FakeRegistry empty;
  FakeRegistry full;
  full.put("library/app/manifests/1", "{}");
  auto options = quick();
  options.mirrors = {empty.server.url() + "/", full.server.url()};
  const auto client = Client::create(options).value();
  Credentials credentials;
  credentials.registry_token = "not for mirrors";
  const auto repository = client->open(name("app:1"), credentials, {});
  ASSERT_TRUE(repository) << repository.error().message();
  const auto manifest = (*repository)->manifest("1", {});
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ((*repository)->endpoint(), full.server.url());
  EXPECT_EQ(empty.server.requests_for("/manifests/").size(), 1U);
  for (const auto& request : full.server.requests()) EXPECT_EQ(request.header("authorization"), "");
}

}  // namespace
