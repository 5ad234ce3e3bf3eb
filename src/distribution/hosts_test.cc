/// hosts.toml: its grammar, and pulls that go where it says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "codec/sha256.h"
#include "distribution/client.h"
#include "distribution/detail/endpoint.h"
#include "distribution/detail/hosts.h"
#include "distribution/testing/fake_server.h"
#include "sys/file.h"

namespace {

using base::ErrorKind;
using distribution::Access;
using distribution::Client;
using distribution::detail::parse_hosts;
using distribution::detail::places_of;
using distribution::detail::rewrite_path;
using distribution::testing::FakeRegistry;
using distribution::testing::FakeReply;
using distribution::testing::FakeRequest;
using testing::HasSubstr;

TEST(Hosts, ReadsEveryKey) {
  const auto hosts = parse_hosts(R"(
    server = "https://registry-1.docker.io/"
    skip_verify = false
    [host."https://second.example:5000/prefix"]
      capabilities = ["pull"]
      ca = "ca.pem"
      client = [["client.cert", "/abs/client.key"]]
      override_path = true
    [host."http://first.example"]
      skip_verify = true
      ca = ["a.pem", "/b.pem"]
      client = "both.pem"
      [host."http://first.example".header]
        x-one = "1"
        x-two = ["2", "3"]
      [host."http://first.example".rewrite]
        "^library/(.*)$" = "mirror/$1"
        "." = "never"
  )", "/certs");
  ASSERT_TRUE(hosts) << hosts.error().message();
  EXPECT_EQ(hosts->server.url, "https://registry-1.docker.io");
  EXPECT_TRUE(hosts->server.push);
  ASSERT_EQ(hosts->mirrors.size(), 2U);
  const auto& second = hosts->mirrors[0];  // the file's order, not the alphabet's
  EXPECT_EQ(second.url, "https://second.example:5000/prefix");
  EXPECT_TRUE(second.pull);
  EXPECT_FALSE(second.resolve || second.push);
  EXPECT_TRUE(second.override_path);
  EXPECT_EQ(second.authorities, std::vector<std::string>{"/certs/ca.pem"});
  ASSERT_EQ(second.clients.size(), 1U);
  EXPECT_EQ(second.clients[0].first, "/certs/client.cert");
  EXPECT_EQ(second.clients[0].second, "/abs/client.key");
  const auto& first = hosts->mirrors[1];
  EXPECT_EQ(first.skip_verify, true);
  EXPECT_EQ(first.authorities, (std::vector<std::string>{"/certs/a.pem", "/b.pem"}));
  EXPECT_EQ(first.clients[0].first, first.clients[0].second);
  EXPECT_THAT(first.headers, testing::UnorderedElementsAre("x-one: 1", "x-two: 2", "x-two: 3"));
  EXPECT_EQ(rewrite_path(first.rewrites, "library/nginx"), "mirror/nginx");
}

TEST(Hosts, AnEmptyFileSaysNothing) {
  const auto hosts = parse_hosts("", "/certs");
  ASSERT_TRUE(hosts);
  EXPECT_TRUE(hosts->mirrors.empty());
  EXPECT_EQ(hosts->server.url, "");
}

TEST(Hosts, MistakesNameTheirLine) {
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"server = ", "line 1"},
           {"\nserver = 7", "line 2: server: want a string"},
           {"host = 1", "host: want a table"},
           {"[host.\"ftp://x\"]", "unsupported protocol scheme"},
           {"[host.\"https://x/?a=b\"]", "malformed URL"},
           {"[host.\"https://x\"]\ncapabilities = [\"fly\"]", "unknown capability \"fly\""},
           {"[host.\"https://x\"]\ncapabilities = [1]", "want a string"},
           {"[host.\"https://x\"]\nskip_verify = \"yes\"", "line 2: skip_verify: want true or false"},
           {"[host.\"https://x\"]\nca = 5", "ca: want a string"},
           {"[host.\"https://x\"]\nclient = [[\"a\",\"b\",\"c\"]]", "want a certificate and its key"},
           {"[host.\"https://x\".header]\na = \"b\\r\\nEvil: 1\"", "header: malformed"},
           {"[host.\"https://x\".rewrite]\n\"(\" = \"b\"", "malformed expression"},
       }) {
    const auto hosts = parse_hosts(text, "/certs");
    ASSERT_FALSE(hosts) << text;
    EXPECT_TRUE(hosts.error().is(ErrorKind::InvalidArgument));
    EXPECT_THAT(hosts.error().message(), HasSubstr(message)) << text;
  }
}

TEST(Rewrite, PutsGroupsWhereTheyBelong) {
  EXPECT_EQ(rewrite_path({{"^a/(b+)/(.*)$", "$2-$1"}}, "a/bb/c"), "c-bb");
  EXPECT_EQ(rewrite_path({{"x", "y"}, {"^", "proxy/"}}, "a/b"), "proxy/a/b");
  EXPECT_EQ(rewrite_path({{"b", "$"}}, "abc"), "a$c");
  EXPECT_EQ(rewrite_path({{"(z)?b", "[$1]"}}, "abc"), "a[]c");
  EXPECT_EQ(rewrite_path({{"nothing", "x"}}, "a/b"), "a/b");
}

class HostsToml : public ::testing::Test {
 protected:
  HostsToml() {
    std::string name = ::testing::TempDir() + "/hosts-XXXXXX";
    root_ = ::mkdtemp(name.data());
    options_.certs_dir = root_;
    options_.first_backoff = std::chrono::milliseconds{1};
    options_.stall_timeout = std::chrono::seconds{2};
  }
  ~HostsToml() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_)); }

  void write(const std::string& folder, const std::string& text) {
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/" + folder, 0755));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/" + folder + "/hosts.toml", text));
  }
  base::Result<std::string> pull(const std::string& reference) {
    const auto client = Client::create(options_).value();
    const auto parsed = spec::Reference::parse(reference).value();
    const auto repository = TRY(client->open(parsed, {}, {}));
    return TRY(repository->manifest(parsed.tag_or_digest(), {})).bytes;
  }
  std::vector<std::string> places(const std::string& domain, Access access = Access::Pull) {
    distribution::detail::TrustStore trust{root_, options_.insecure_registries};
    std::vector<std::string> urls;
    const auto places = places_of(domain, options_, trust, access).value();
    for (const auto& place : places) urls.push_back(place.api());
    return urls;
  }

  std::string root_;
  distribution::Options options_;
};

TEST_F(HostsToml, SaysWhichPlacesAreAsked) {
  write("reg.example_5000_", R"(
    [host."https://mirror.example"]
      capabilities = ["pull", "resolve"]
    [host."https://push.example/custom"]
      override_path = true)");
  write("_default", R"(
    server = "https://cache.example"
    [host."http://near.example:81"])");
  EXPECT_EQ(places("reg.example:5000"),
            (std::vector<std::string>{"https://mirror.example/v2", "https://push.example/custom",
                                      "https://reg.example:5000/v2"}));
  EXPECT_EQ(places("reg.example:5000", Access::Push),
            (std::vector<std::string>{"https://push.example/custom", "https://reg.example:5000/v2"}));
  EXPECT_EQ(places("other.example"),
            (std::vector<std::string>{"http://near.example:81/v2", "https://cache.example/v2"}));
  options_.mirrors = {"hub.mirror"};
  EXPECT_EQ(places("docker.io").front(), "https://hub.mirror/v2");
}

TEST_F(HostsToml, MirrorsOfAnyRegistryAreAskedInOrder) {
  FakeRegistry lacks;
  FakeRegistry has;
  has.put("proxy/app/manifests/1", R"({"from":"mirror"})");
  write("registry.invalid", "[host.\"" + lacks.server.url() + "\"]\n[host.\"" + has.server.url() + "\"]\n" +
                                "[host.\"" + has.server.url() + "\".header]\nx-key = \"secret\"\n" +
                                "[host.\"" + has.server.url() + "\".rewrite]\n\"^\" = \"proxy/\"\n");
  const auto manifest = pull("registry.invalid/app:1");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(*manifest, R"({"from":"mirror"})");
  ASSERT_EQ(lacks.server.requests_for("/manifests/").size(), 1U);
  EXPECT_EQ(lacks.server.requests_for("/manifests/")[0].header("x-key"), "");
  const auto request = has.server.requests_for("/manifests/").at(0);
  EXPECT_EQ(request.target, "/v2/proxy/app/manifests/1?ns=registry.invalid");
  EXPECT_EQ(request.header("x-key"), "secret");
}

TEST_F(HostsToml, APullThroughTagsAsksOnlyWhoResolves) {
  FakeRegistry pull_only;
  FakeRegistry server;
  server.put("app/manifests/1", "{}");
  write("registry.invalid", "server = \"" + server.server.url() + "\"\n[host.\"" + pull_only.server.url() +
                                "\"]\ncapabilities = [\"pull\"]\n");
  EXPECT_TRUE(pull("registry.invalid/app:1"));
  EXPECT_TRUE(pull_only.server.requests().empty());
  EXPECT_FALSE(pull("registry.invalid/app@" + codec::sha256("x").str()));
  EXPECT_FALSE(pull_only.server.requests_for("/manifests/").empty());
}

TEST_F(HostsToml, ABlobThatAMirrorLacksComesFromTheNext) {
  FakeRegistry mirror;
  FakeRegistry server;
  const std::string bytes(10'000, 'b');
  const auto blob = spec::Descriptor::of(spec::media::kOciLayer, codec::sha256(bytes), bytes.size());
  mirror.put("app/manifests/1", "{}");
  server.put("app/blobs/" + blob.digest_text, bytes);
  write("registry.invalid", "server = \"" + server.server.url() + "\"\n[host.\"" + mirror.server.url() + "\"]\n");
  const auto client = Client::create(options_).value();
  const auto repository = client->open(spec::Reference::parse("registry.invalid/app:1").value(), {}, {}).value();
  ASSERT_TRUE(repository->manifest("1", {}));
  EXPECT_EQ(repository->endpoint(), mirror.server.url());
  EXPECT_EQ(repository->read_blob(blob, 1 << 20, {}).value(), bytes);
  EXPECT_EQ(repository->endpoint(), server.server.url());
}

TEST_F(HostsToml, AMalformedFileIsAnErrorThatNamesIt) {
  write("registry.invalid", "server = [");
  const auto manifest = pull("registry.invalid/app:1");
  ASSERT_TRUE(manifest.failed_as(ErrorKind::InvalidArgument));
  EXPECT_THAT(manifest.error().message(), HasSubstr("registry.invalid/hosts.toml: line 1"));
  write("registry.invalid", "[host.\"https://x.invalid\"]\nca = \"missing.pem\"");
  EXPECT_THAT(pull("registry.invalid/app:1").error().message(), HasSubstr("missing.pem"));
}

TEST(Parts, ALargeBlobComesInSeveralRequests) {
  FakeRegistry registry;
  std::string bytes(1'000'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * 2654435761U) >> 13U);
  const auto blob = spec::Descriptor::of(spec::media::kOciLayer, codec::sha256(bytes), bytes.size());
  registry.put("app/blobs/" + blob.digest_text, bytes);
  std::atomic<int> cuts = 0;
  registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    // FakeRegistry gives all from the beginning on: end where the client wants it.
    const std::string range = request.header("range");
    if (request.target.find("/blobs/") == std::string::npos || range.empty()) return std::nullopt;
    const auto dash = range.find('-');
    const auto begin = base::parse_uint(range.substr(6, dash - 6)).value();
    if (const auto last = base::parse_uint(range.substr(dash + 1))) reply.body.resize(*last - begin + 1);
    if (++cuts % 3 == 0) reply.cut_after = reply.body.size() / 2;  // a broken part is resumed
    return reply;
  });
  distribution::Options options;
  options.certs_dir = "/nonexistent";
  options.first_backoff = std::chrono::milliseconds{1};
  options.part_bytes = 64 << 10;
  options.parts_on_loopback = true;
  const auto client = Client::create(options).value();
  const auto reference = spec::Reference::parse(registry.server.host() + "/app:1").value();
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{12'345}, std::uint64_t{999'990}}) {
    const auto repository = client->open(reference, {}, {}).value();
    const auto source = repository->open_blob(blob, offset, {}).value();
    EXPECT_EQ(base::read_all(*source, bytes.size()).value(), bytes.substr(offset));
  }
  EXPECT_GT(registry.server.requests_for("/blobs/").size(), 20U);
  {
    // Dropped in the middle: nobody waits for what nobody reads.
    const auto repository = client->open(reference, {}, {}).value();
    const auto source = repository->open_blob(blob, 0, {}).value();
    std::array<char, 100> some{};
    EXPECT_TRUE(source->read(some));
  }
}

TEST(Parts, ARegistryWithoutRangesGivesOneStream) {
  FakeRegistry registry;
  const std::string bytes(1'000'000, 'x');
  const auto blob = spec::Descriptor::of(spec::media::kOciLayer, codec::sha256(bytes), bytes.size());
  registry.set_trouble([&](const FakeRequest& request, const FakeReply&) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    FakeReply whole;
    whole.body = bytes;
    return whole;
  });
  distribution::Options options;
  options.certs_dir = "/nonexistent";
  options.part_bytes = 64 << 10;
  options.parts_on_loopback = true;
  const auto client = Client::create(options).value();
  const auto repository =
      client->open(spec::Reference::parse(registry.server.host() + "/app:1").value(), {}, {}).value();
  EXPECT_EQ(base::read_all(*repository->open_blob(blob, 0, {}).value(), bytes.size()).value(), bytes);
  EXPECT_EQ(registry.server.requests_for("/blobs/").size(), 1U);
}

TEST(Parts, AMissingPartIsAnErrorAndNoHang) {
  FakeRegistry registry;
  const std::string bytes(1'000'000, 'x');
  const auto blob = spec::Descriptor::of(spec::media::kOciLayer, codec::sha256(bytes), bytes.size());
  registry.put("app/blobs/" + blob.digest_text, bytes);
  registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    if (request.header("range").starts_with("bytes=0-")) {
      reply.body.resize(64 << 10);
      return reply;
    }
    FakeReply gone;
    gone.status = 404;
    return gone;
  });
  distribution::Options options;
  options.certs_dir = "/nonexistent";
  options.first_backoff = std::chrono::milliseconds{1};
  options.part_bytes = 64 << 10;
  options.parts_on_loopback = true;
  const auto client = Client::create(options).value();
  const auto repository =
      client->open(spec::Reference::parse(registry.server.host() + "/app:1").value(), {}, {}).value();
  const auto source = repository->open_blob(blob, 0, {}).value();
  EXPECT_TRUE(base::read_all(*source, bytes.size()).failed_as(ErrorKind::NotFound));
}

}  // namespace
