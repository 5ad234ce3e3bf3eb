/// Lists that a registry keeps: tags, and what refers to a manifest.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/sha256.h"
#include "distribution/client.h"
#include "distribution/testing/fake_server.h"

namespace {

using base::ErrorKind;
using distribution::Client;
using distribution::testing::FakeRegistry;
using distribution::testing::FakeReply;
using distribution::testing::FakeRequest;

constexpr std::string_view kSignature = "application/vnd.example.signature";

std::unique_ptr<distribution::Repository> open(FakeRegistry& registry) {
  distribution::Options options;
  options.certs_dir = "/nonexistent";
  options.first_backoff = std::chrono::milliseconds{1};
  const auto client = Client::create(options).value();
  return client->open(spec::Reference::parse(registry.server.host() + "/app:1").value(), {}, {}).value();
}

std::string index_of_referrers() {
  spec::Index index;
  index.media_type = spec::media::kOciIndex;
  for (const std::string& type : {std::string{kSignature}, std::string{"application/vnd.example.sbom"}}) {
    auto descriptor = spec::Descriptor::of(spec::media::kOciManifest, codec::sha256(type), 7);
    descriptor.artifact_type = type;
    index.manifests.push_back(descriptor);
  }
  return index.dump();
}

TEST(Tags, FollowTheLinksOfTheRegistry) {
  FakeRegistry registry;
  registry.put("app/tags/list", R"({"name":"app","tags":["a","b"]})", "application/json");
  registry.set_trouble([](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (request.path() != "/v2/app/tags/list") return std::nullopt;
    if (request.target.find("last=b") != std::string::npos) {
      reply.body = R"({"name":"app","tags":["c","not a tag"]})";
    } else {
      reply.headers.push_back("Link: </v2/app/tags/list?last=b&n=2>; rel=\"next\"");
    }
    return reply;
  });
  EXPECT_EQ(open(registry)->tags({}).value(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Tags, OfARepositoryThatIsNotThere) {
  FakeRegistry registry;
  EXPECT_TRUE(open(registry)->tags({}).failed_as(ErrorKind::NotFound));
}

TEST(Referrers, OfTheApi) {
  FakeRegistry registry;
  const auto subject = codec::sha256("subject");
  registry.put("app/referrers/" + subject.str(), index_of_referrers(), std::string{spec::media::kOciIndex});
  const auto repository = open(registry);
  EXPECT_EQ(repository->referrers(subject, "", {}).value().size(), 2U);
  // A registry need not filter.
  const auto signatures = repository->referrers(subject, std::string{kSignature}, {}).value();
  ASSERT_EQ(signatures.size(), 1U);
  EXPECT_EQ(signatures[0].artifact_type, kSignature);
}

TEST(Referrers, OfTheTagOfRegistriesWithoutTheApi) {
  FakeRegistry registry;
  const auto subject = codec::sha256("subject");
  const auto repository = open(registry);
  EXPECT_TRUE(repository->referrers(subject, "", {}).value().empty());
  registry.put("app/manifests/sha256-" + std::string{subject.hex()}, index_of_referrers(),
               std::string{spec::media::kOciIndex});
  EXPECT_EQ(repository->referrers(subject, "", {}).value().size(), 2U);
  registry.put("app/manifests/sha256-" + std::string{subject.hex()}, "junk");
  EXPECT_TRUE(repository->referrers(subject, "", {}).failed_as(ErrorKind::InvalidArgument));
}

}  // namespace
