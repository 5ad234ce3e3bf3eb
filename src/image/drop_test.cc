/// Blobs that are made again from their unpacked layers.

#include <gmock/gmock.h>

#include "codec/tar.h"
#include "image/testing/fixture.h"

namespace image {
namespace {

using namespace testing;  // NOLINT: the fixtures
using ::testing::HasSubstr;

/// A docker archive with plain layers.
std::string archive_of(const TestImage& image, const std::string& tag) {
  base::StringSink sink;
  codec::TarWriter tar{sink};
  const auto add = [&](const std::string& path, const std::string& bytes) {
    codec::TarEntry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.size = bytes.size();
    EXPECT_TRUE(tar.add(entry));
    EXPECT_TRUE(tar.write(bytes));
  };
  codec::Json layers{codec::Json::Array{}};
  for (std::size_t i = 0; i < image.tars.size(); ++i) {
    add(std::to_string(i) + "/layer.tar", image.tars[i]);
    layers.push(std::to_string(i) + "/layer.tar");
  }
  add("config.json", image.config);
  codec::Json tags{codec::Json::Array{}};
  tags.push(tag);
  codec::Json all{codec::Json::Array{}};
  all.push(codec::Json::object({{"Config", "config.json"}, {"RepoTags", std::move(tags)}, {"Layers", std::move(layers)}}));
  add("manifest.json", all.dump());
  EXPECT_TRUE(tar.finish());
  return std::move(sink.text);
}

class DropTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "whiteouts need root";
  }
  [[nodiscard]] bool has(const TestImage& image, std::size_t layer) const {
    return world_.content->has(codec::sha256(image.tars[layer])).value();
  }

  World world_;
  Users users_;
  const TestImage image_ = make_image({{{"a", noise(700'000, 1)}}, {{"b", noise(300'000, 2)}}},
                                      {.compression = codec::Compression::None});
};

TEST_F(DropTest, SavedAgainWithTheSameDigests) {
  ASSERT_TRUE(world_.load(archive_of(image_, "x:1")));
  world_.store->wait_for_drops();
  EXPECT_FALSE(has(image_, 0));
  EXPECT_FALSE(has(image_, 1));
  const auto space = world_.store->disk_space().value();
  EXPECT_LT(space.blobs + space.layers, 1'100'000U) << "a million bytes of files, once";
  const std::string saved = world_.save({"x:1"}).value();
  EXPECT_THAT(saved, HasSubstr("blobs/sha256/" + std::string{codec::sha256(image_.tars[0]).hex()}));
  world_.reopen();
  EXPECT_EQ(world_.save({"x:1"}).value(), saved);
  EXPECT_TRUE(world_.store->check({.grace = std::chrono::seconds{0}}, users_)->findings.empty());

  World other;
  ASSERT_TRUE(other.load(saved));
  EXPECT_EQ(other.store->get("x:1")->id, image_.id());
  EXPECT_EQ(other.file("x:1", "b"), noise(300'000, 2));
}

TEST_F(DropTest, KnownAgainWhenLoadedOrPulled) {
  distribution::testing::FakeRegistry registry;
  put(registry, "library/x", "1", image_);
  ASSERT_TRUE(world_.load(archive_of(image_, "x:1")));
  world_.store->wait_for_drops();
  // A second image with the layer on top of another: unpacked once more, out of what was made again.
  const TestImage upside_down = make_image({{{"b", noise(300'000, 2)}}, {{"a", noise(700'000, 1)}}},
                                           {.compression = codec::Compression::None});
  ASSERT_TRUE(world_.load(archive_of(upside_down, "y:1")));
  EXPECT_EQ(world_.file("y:1", "a"), noise(700'000, 1));
  ASSERT_TRUE(world_.load(archive_of(image_, "z:1"))) << "what was dropped is known all the same";
  ASSERT_TRUE(world_.pull(registry.server.host() + "/library/x:1"));
  EXPECT_EQ(world_.store->count().value(), 2U);
}

TEST_F(DropTest, ABlobStaysAsLongAsALayerWithoutRecipeNeedsIt) {
  distribution::testing::FakeRegistry registry;
  const TestImage pulled = make_image({{{"b", noise(300'000, 2)}}, {{"a", noise(700'000, 1)}}},
                                      {.compression = codec::Compression::None});
  put(registry, "library/y", "1", pulled);
  ASSERT_TRUE(world_.load(archive_of(image_, "x:1")));
  world_.store->wait_for_drops();
  ASSERT_TRUE(world_.pull(registry.server.host() + "/library/y:1"));
  world_.reopen();
  world_.store->wait_for_drops();
  EXPECT_TRUE(has(image_, 0)) << "what was pulled has no recipe";
  ASSERT_TRUE(world_.store->remove("x:1", false, true, users_));
  EXPECT_TRUE(world_.save({registry.server.host() + "/library/y:1"}));
  EXPECT_TRUE(world_.store->check({.grace = std::chrono::seconds{0}}, users_)->findings.empty());
}

TEST_F(DropTest, KeptWhereThatIsAskedFor) {
  world_.options.layer_blobs = LayerBlobs::Keep;
  world_.reopen();
  ASSERT_TRUE(world_.load(archive_of(image_, "x:1")));
  world_.store->wait_for_drops();
  EXPECT_TRUE(has(image_, 0));
  EXPECT_TRUE(has(image_, 1));
}

TEST_F(DropTest, NothingGoesThatDoesNotComeOutTheSame) {
  TestImage twice = make_image({{{"same", "1"}}}, {.compression = codec::Compression::None});
  base::StringSink sink;
  codec::TarWriter tar{sink};
  for (const char* text : {"one", "two"}) {
    codec::TarEntry entry;
    entry.path = "same";
    entry.mode = 0644;
    entry.size = 3;
    ASSERT_TRUE(tar.add(entry));
    ASSERT_TRUE(tar.write(text));
  }
  ASSERT_TRUE(tar.finish());
  const std::string old_id = codec::sha256(twice.tars[0]).str();
  twice.tars[0] = sink.text;
  twice.config.replace(twice.config.find(old_id), old_id.size(), codec::sha256(sink.text).str());
  ASSERT_TRUE(world_.load(archive_of(twice, "x:1")));
  world_.store->wait_for_drops();
  EXPECT_TRUE(has(twice, 0));
  EXPECT_TRUE(world_.save({"x:1"}));
}

TEST_F(DropTest, AChangedLayerIsNotPassedOff) {
  ASSERT_TRUE(world_.load(archive_of(image_, "x:1")));
  world_.store->wait_for_drops();
  const auto top = world_.snapshotter->changes(world_.store->get("x:1")->top_layer).value();
  std::string bytes = noise(300'000, 2);
  bytes[5] ^= 1;
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, top + "/b", bytes));
  const auto saved = world_.save({"x:1"});
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message(), HasSubstr("was changed on disk"));
  const auto report = world_.store->check({.repair = true, .grace = std::chrono::seconds{0}}, users_).value();
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].kind, "damaged-layer");
  EXPECT_EQ(report.findings[1].kind, "broken-image");
  EXPECT_TRUE(world_.store->check({.grace = std::chrono::seconds{0}}, users_)->findings.empty());
}

TEST_F(DropTest, WithoutItsRecipeALayerIsLoadedAgain) {
  ASSERT_TRUE(world_.load(archive_of(image_, "x:1")));
  world_.store->wait_for_drops();
  const auto blobs = world_.content->list().value();
  for (const auto& blob : blobs) {
    const auto text = world_.content->read(blob.digest).value();
    if (!text.starts_with("caisson-recipe")) continue;
    ASSERT_TRUE(world_.content->remove(blob.digest));
  }
  EXPECT_FALSE(world_.save({"x:1"}));
  const auto report = world_.store->check({.grace = std::chrono::seconds{0}}, users_).value();
  ASSERT_EQ(report.findings.size(), 3U);
  EXPECT_EQ(report.findings[0].kind, "damaged-layer");
  // Loaded again it is whole again.
  users_.users[image_.id().str()] = {{"c1", false}};
  ASSERT_TRUE(world_.load(archive_of(image_, "x:1")));
  EXPECT_TRUE(world_.save({"x:1"}));
}

}  // namespace
}  // namespace image
