/// One name for several platforms: indexes and attestations that are kept, and what every verb makes of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/describe.h"
#include "image/testing/fixture.h"
#include "spec/oci_image.h"

namespace {

using base::ErrorKind;
using distribution::testing::FakeRegistry;
using image::testing::Files;
using image::testing::ImageOptions;
using image::testing::make_image;
using image::testing::Recorder;
using image::testing::TestImage;
using image::testing::Users;
using image::testing::World;
using testing::Contains;
using testing::HasSubstr;

constexpr std::string_view kPredicate = "https://slsa.dev/provenance/v0.2";

std::string host_architecture() { return spec::Platform::host().architecture; }
/// Of a machine that this is not.
std::string other_architecture() { return host_architecture() == "arm64" ? "amd64" : "arm64"; }

/// An index in a registry: two platforms, and an attestation of the first.
struct Multi {
  explicit Multi(FakeRegistry& registry, const std::string& repository = "app", const std::string& tag = "1") {
    ImageOptions options;
    options.architecture = host_architecture();
    host = make_image({Files{{"arch", "host"}}, Files{{"shared", "x"}}}, options);
    options.architecture = other_architecture();
    other = make_image({Files{{"arch", "other"}}}, options);
    statement = R"({"predicateType":")" + std::string{kPredicate} + R"(","subject":[]})";
    const std::string config = "{}";
    spec::Manifest manifest;
    manifest.media_type = spec::media::kOciManifest;
    manifest.config = spec::Descriptor::of("application/vnd.oci.image.config.v1+json", codec::sha256(config), 2);
    manifest.layers.push_back(
        spec::Descriptor::of("application/vnd.in-toto+json", codec::sha256(statement), statement.size()));
    manifest.layers[0].annotations["in-toto.io/predicate-type"] = kPredicate;
    attestation = manifest.dump();
    for (const auto* one : {&host, &other}) {
      put(registry, repository, "", *one);
      auto descriptor = spec::Descriptor::of(one->media_type, one->digest(), one->manifest.size());
      descriptor.platform = spec::Platform{one == &host ? host_architecture() : other_architecture(), "linux", {}, {}, {}};
      index.manifests.push_back(descriptor);
    }
    auto attests = spec::Descriptor::of(spec::media::kOciManifest, codec::sha256(attestation), attestation.size());
    attests.platform = spec::Platform{"unknown", "unknown", {}, {}, {}};
    attests.annotations["vnd.docker.reference.type"] = "attestation-manifest";
    attests.annotations["vnd.docker.reference.digest"] = host.digest().str();
    index.manifests.push_back(attests);
    index.media_type = spec::media::kOciIndex;
    bytes = index.dump();
    registry.put(repository + "/blobs/" + codec::sha256(config).str(), config);
    registry.put(repository + "/blobs/" + codec::sha256(statement).str(), statement);
    registry.put(repository + "/manifests/" + codec::sha256(attestation).str(), attestation,
                 std::string{spec::media::kOciManifest});
    registry.put(repository + "/manifests/" + tag, bytes, index.media_type);
    registry.put(repository + "/manifests/" + digest().str(), bytes, index.media_type);
  }
  [[nodiscard]] base::Digest digest() const { return codec::sha256(bytes); }

  TestImage host, other;
  std::string statement, attestation, bytes;
  spec::Index index;
};

class Variants : public ::testing::Test {
 protected:
  base::Result<base::Digest> pull(const std::string& platform = {}) {
    image::PullRequest request{spec::Reference::parse(name).value(), platform, {}};
    return world.store->pull(request, recorder, {});
  }
  std::string inspect(const std::string& platform) {
    const auto found = world.store->inspect(name, {.platform = platform});
    return found ? found->id : found.error().message();
  }

  FakeRegistry registry;
  Multi multi{registry};
  World world;
  Recorder recorder;
  const std::string name = registry.server.host() + "/app:1";
  const std::string host = "linux/" + host_architecture();
  const std::string other = "linux/" + other_architecture();
};

TEST_F(Variants, ThePullOfOneKeepsTheIndexAndWhatAttestsIt) {
  ASSERT_EQ(pull().value(), multi.host.id());
  const auto found = world.store->inspect(name, {.platform = {}, .manifests = true}).value();
  EXPECT_EQ(found.descriptor->digest_text, multi.digest().str());
  EXPECT_EQ(found.descriptor->media_type, spec::media::kOciIndex);
  ASSERT_EQ(found.manifests->size(), 3U);
  EXPECT_EQ((*found.manifests)[0].kind, "image");
  EXPECT_TRUE((*found.manifests)[0].available);
  EXPECT_GT((*found.manifests)[0].size.total, (*found.manifests)[0].size.content);
  EXPECT_EQ((*found.manifests)[1].kind, "image");
  EXPECT_FALSE((*found.manifests)[1].available);
  EXPECT_EQ((*found.manifests)[2].kind, "attestation");
  EXPECT_TRUE((*found.manifests)[2].available);
  EXPECT_EQ((*found.manifests)[2].attestation->subject, multi.host.digest().str());

  const auto statements = world.store->attestations(name, {}).value();
  ASSERT_EQ(statements.size(), 1U);
  EXPECT_EQ(statements[0].predicate_type, kPredicate);
  EXPECT_TRUE(statements[0].statement.is_null());
  const auto whole = world.store->attestations(name, {.platform = host, .types = {}, .statement = true}).value();
  EXPECT_EQ(whole.at(0).statement.dump(), multi.statement);
  EXPECT_TRUE(world.store->attestations(name, {.platform = {}, .types = {"other"}, .statement = false}).value().empty());
  EXPECT_TRUE(world.store->attestations(name, {.platform = other, .types = {}, .statement = false}).failed_as(ErrorKind::NotFound));

  // A new daemon collects nothing of it.
  world.reopen();
  EXPECT_EQ(world.store->attestations(name, {}).value().size(), 1U);
}

TEST_F(Variants, SeveralPlatformsStandUnderOneName) {
  ASSERT_EQ(pull(other).value(), multi.other.id());
  EXPECT_EQ(inspect(""), multi.other.id().str());  // there is no other
  EXPECT_THAT(inspect(host), HasSubstr("does not provide the specified platform (" + host + ")"));
  ASSERT_EQ(pull().value(), multi.host.id());
  EXPECT_EQ(inspect(""), multi.host.id().str());
  EXPECT_EQ(inspect(other), multi.other.id().str());
  EXPECT_EQ(inspect(host), multi.host.id().str());
  // Once more the other: the name still stands for this machine's.
  ASSERT_EQ(pull(other).value(), multi.other.id());
  EXPECT_EQ(inspect(""), multi.host.id().str());
  EXPECT_EQ(world.store->history(name, other).value().size(), 1U);
  EXPECT_EQ(world.store->hold(name, other).value().image().id, multi.other.id());
  EXPECT_EQ(world.store->hold(name, "linux/s390x").value().image().id, multi.host.id());  // create refuses that

  // One image to a user; no leftover to prune.
  EXPECT_EQ(world.store->list({}).value().size(), 1U);
  EXPECT_EQ(world.store->list({.all = true}).value().size(), 2U);
  const auto listed = world.store->list({.manifests = true}).value();
  EXPECT_TRUE((*listed[0].manifests)[0].available && (*listed[0].manifests)[1].available);
  const Users nobody;
  EXPECT_TRUE(world.store->prune({}, nobody).value().removed.empty());
  EXPECT_EQ(inspect(other), multi.other.id().str());

  ASSERT_TRUE(world.store->remove(name, false, true, nobody));
  EXPECT_TRUE(world.is_empty());
}

TEST_F(Variants, AUsedVariantStaysWhenItsNameGoes) {
  ASSERT_TRUE(pull(other));
  ASSERT_TRUE(pull());
  Users users;
  users.users[multi.other.id().str()] = {{"c0ffee", false}};
  ASSERT_TRUE(world.store->remove(name, false, true, users));
  const auto left = world.store->list({.all = true}).value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].id, multi.other.id().str());
}

TEST_F(Variants, ASecondNameHasTheIndexToo) {
  ASSERT_TRUE(pull(other));
  ASSERT_TRUE(pull());
  ASSERT_TRUE(world.store->tag(name, "second", "2"));
  EXPECT_EQ(world.store->inspect("second:2", {.platform = other}).value().id, multi.other.id().str());
  ASSERT_TRUE(world.store->remove(name, false, true, Users{}));
  EXPECT_EQ(world.store->inspect("second:2", {.platform = other}).value().id, multi.other.id().str());
  EXPECT_EQ(world.store->attestations("second:2", {}).value().size(), 1U);
  ASSERT_TRUE(world.store->remove("second:2", false, true, Users{}));
  EXPECT_TRUE(world.is_empty());
}

TEST_F(Variants, SavedAndLoadedTheyAreWhatTheyWere) {
  ASSERT_TRUE(pull(other));
  ASSERT_TRUE(pull());
  ASSERT_TRUE(world.store->tag(name, "app", "1"));
  const auto archive = world.save({"app:1"}).value();
  World second;
  const auto loaded = second.load(archive);
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_EQ(loaded->size(), 1U);
  EXPECT_EQ((*loaded)[0].id, multi.host.id());
  EXPECT_EQ((*loaded)[0].tags, std::vector<std::string>{"app:1"});
  EXPECT_EQ(second.store->inspect("app:1").value().descriptor->digest_text, multi.digest().str());
  EXPECT_EQ(second.store->inspect("app:1", {.platform = other}).value().id, multi.other.id().str());
  EXPECT_EQ(second.file(multi.other.id().str(), "arch"), "other");
  EXPECT_EQ(second.store->attestations("app:1", {}).value().size(), 1U);
  EXPECT_EQ(second.save({"app:1"}).value(), archive);

  // One of them: an archive as of any image.
  base::StringSink one;
  ASSERT_TRUE(world.store->save({"app:1"}, one, {other}));
  World third;
  ASSERT_EQ(third.load(one.text).value().at(0).id, multi.other.id());
  EXPECT_EQ(third.store->inspect("app:1").value().descriptor->digest_text, multi.other.digest().str());
  base::StringSink none;
  EXPECT_TRUE(world.store->save({"app:1"}, none, {"linux/s390x"}).failed_as(ErrorKind::NotFound));
  EXPECT_TRUE(none.text.empty());

  // Of an archive with both, one.
  World fourth;
  base::StringSource source{archive};
  ASSERT_EQ(fourth.store->load(source, true, recorder, {}, {other}).value().at(0).id, multi.other.id());
  EXPECT_EQ(fourth.store->list({.all = true}).value().size(), 1U);
  base::StringSource again{archive};
  EXPECT_TRUE(fourth.store->load(again, true, recorder, {}, {"linux/s390x"}).failed_as(ErrorKind::NotFound));
}

TEST_F(Variants, APartOfAnIndexIsSavedWithWhatIsHere) {
  ASSERT_TRUE(pull());
  ASSERT_TRUE(world.store->tag(name, "app", "1"));
  World second;
  ASSERT_TRUE(second.load(world.save({"app:1"}).value()));
  EXPECT_EQ(second.store->inspect("app:1").value().id, multi.host.id().str());
  EXPECT_EQ(second.store->list({.all = true}).value().size(), 1U);
}

TEST_F(Variants, AnAttestationThatIsNotToBeHadDoesNotFailThePull) {
  registry.set_trouble([&](const auto& request, const auto&) -> std::optional<distribution::testing::FakeReply> {
    if (request.target.find(codec::sha256(multi.statement).hex()) == std::string::npos) return std::nullopt;
    distribution::testing::FakeReply gone;
    gone.status = 404;
    return gone;
  });
  ASSERT_TRUE(pull());
  EXPECT_TRUE(world.store->attestations(name, {}).value().empty());
  EXPECT_FALSE((*world.store->inspect(name, {.platform = {}, .manifests = true}).value().manifests)[2].available);
}

TEST_F(Variants, TheSameImagesUnderOtherManifestsAreFoundToo) {
  ASSERT_TRUE(pull(other));
  ASSERT_TRUE(pull());
  // The index that another tool made of the same images.
  spec::Index again;
  again.media_type = spec::media::kOciIndex;
  for (auto* image : {&multi.host, &multi.other}) {
    auto manifest = spec::Manifest::parse(image->manifest).value();
    manifest.annotations["made.by"] = "somebody else";
    image->manifest = manifest.dump();
    put(registry, "again", "", *image);
    auto descriptor = spec::Descriptor::of(image->media_type, image->digest(), image->manifest.size());
    descriptor.platform = spec::Platform{image == &multi.host ? host_architecture() : other_architecture(), "linux", {}, {}, {}};
    again.manifests.push_back(descriptor);
  }
  registry.put("again/manifests/1", again.dump(), again.media_type);
  const std::string second = registry.server.host() + "/again:1";
  for (const auto& platform : {other, std::string{}}) {
    image::PullRequest request{spec::Reference::parse(second).value(), platform, {}};
    ASSERT_TRUE(world.store->pull(request, recorder, {}));
  }
  EXPECT_EQ(world.store->inspect(second, {.platform = other}).value().id, multi.other.id().str());
  ASSERT_TRUE(world.store->remove(name, false, true, Users{}));
  // Saved with its own manifests, to the byte.
  ASSERT_TRUE(world.store->tag(second, "again", "1"));
  World loaded;
  ASSERT_TRUE(loaded.load(world.save({"again:1"}).value()));
  EXPECT_EQ(loaded.store->inspect("again:1").value().descriptor->digest_text, codec::sha256(again.dump()).str());
  EXPECT_EQ(loaded.store->inspect("again:1", {.platform = other}).value().id, multi.other.id().str());
  ASSERT_TRUE(world.store->remove(second, false, true, Users{}));
  ASSERT_TRUE(world.store->remove("again:1", false, true, Users{}));
  EXPECT_TRUE(world.is_empty());
}

TEST_F(Variants, AllTagsOfARepository) {
  registry.put("app/tags/list", R"({"name":"app","tags":["1","2"]})", "application/json");
  put(registry, "app", "2", make_image({Files{{"b", "2"}}}));
  image::PullRequest request{spec::Reference::parse(registry.server.host() + "/app").value(), {}, {}};
  ASSERT_TRUE(world.store->pull(request, recorder, {}));
  EXPECT_TRUE(world.store->get(name));
  EXPECT_TRUE(world.store->get(registry.server.host() + "/app:2"));
  registry.put("app/tags/list", R"({"name":"app","tags":null})", "application/json");
  EXPECT_TRUE(world.store->pull(request, recorder, {}).failed_as(ErrorKind::NotFound));
}

}  // namespace
