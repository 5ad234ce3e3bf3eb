/// Each kind of damage is made, found and repaired.

#include <functional>

#include <gmock/gmock.h>

#include "image/testing/fixture.h"

namespace image {
namespace {

using namespace testing;  // NOLINT: the fixtures
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class CheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "whiteouts need root";
    image_ = make_image({{{"a", noise(50'000, 1)}}, {{"b", noise(50'000, 2)}}});
    put(registry_, "library/x", "1", image_);
    name_ = registry_.server.host() + "/library/x:1";
    ASSERT_TRUE(world_.pull(name_));
    EXPECT_THAT(kinds(check()), IsEmpty());
  }

  CheckReport check(bool repair = false, bool quick = false) {
    return world_.store->check({.repair = repair, .quick = quick, .grace = std::chrono::seconds{0}}, users_).value();
  }
  static std::vector<std::string> kinds(const CheckReport& report) {
    std::vector<std::string> kinds;
    for (const auto& finding : report.findings) kinds.push_back(finding.kind);
    return kinds;
  }
  /// Found, not touched without `repair`, repaired, and then gone.
  void expect_repaired(const std::vector<std::string>& wanted) {
    EXPECT_EQ(kinds(check()), wanted);
    const auto repaired = check(true);
    EXPECT_EQ(kinds(repaired), wanted);
    for (const auto& finding : repaired.findings) EXPECT_TRUE(finding.repaired) << finding.kind << ": " << finding.remedy;
    EXPECT_THAT(kinds(check()), IsEmpty());
  }
  void sql(const char* text) {
    ASSERT_TRUE(world_.database->transaction(state::Durability::ProcessDeath,
                                             [&](state::Transaction& transaction) -> base::Result<> {
                                               TRY(transaction.execute(text));
                                               return {};
                                             }));
  }
  [[nodiscard]] std::string blob_path(const base::Digest& digest) const {
    return world_.root + "/content/blobs/sha256/" + std::string{digest.hex()};
  }
  void damage(const base::Digest& digest) {
    auto text = sys::read_file(sys::kCwd, blob_path(digest)).value();
    text[text.size() / 2] ^= 1;
    ASSERT_TRUE(sys::unlink_at(sys::kCwd, blob_path(digest)));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, blob_path(digest), text));
  }
  /// The folder of the image's layer, 0 is the lowest.
  [[nodiscard]] std::string layer_folder(std::size_t position) const {
    const auto mounts = world_.snapshotter->mounts(world_.store->get(name_)->top_layer).value();
    const std::string fs = mounts.lowers.at(mounts.lowers.size() - 1 - position);
    return fs.substr(0, fs.rfind('/'));
  }

  distribution::testing::FakeRegistry registry_;
  TestImage image_;
  std::string name_;
  World world_;
  Users users_;
};

TEST_F(CheckTest, ALayerIsUnpackedAgainFromItsBlob) {
  ASSERT_TRUE(sys::remove_tree(sys::kCwd, layer_folder(0)));
  expect_repaired({"missing-layer"});
  EXPECT_EQ(world_.file(name_, "a"), noise(50'000, 1));
}

TEST_F(CheckTest, ALayerIsUnpackedAgainAfterARestart) {
  ASSERT_TRUE(sys::remove_tree(sys::kCwd, layer_folder(0)));
  ASSERT_TRUE(sys::remove_tree(sys::kCwd, layer_folder(1)));
  world_.reopen();
  expect_repaired({"missing-layer", "missing-layer"});
  EXPECT_EQ(world_.file(name_, "b"), noise(50'000, 2));
}

TEST_F(CheckTest, WithoutFolderAndBlobTheImageGoes) {
  ASSERT_TRUE(sys::remove_tree(sys::kCwd, layer_folder(1)));
  ASSERT_TRUE(sys::unlink_at(sys::kCwd, blob_path(codec::sha256(image_.blobs[1]))));
  const auto report = check(true);
  EXPECT_THAT(kinds(report), ElementsAre("missing-layer", "missing-blob", "broken-image"));
  EXPECT_TRUE(report.findings[2].repaired);
  EXPECT_THAT(report.findings[2].remedy, HasSubstr("remove the image " + name_));
  EXPECT_TRUE(world_.store->get(name_).failed_as(base::ErrorKind::NotFound));
  EXPECT_THAT(kinds(check()), IsEmpty());
  world_.snapshotter->wait_for_trash();
  EXPECT_TRUE(world_.is_empty()) << "what only it needed went, too";
}

TEST_F(CheckTest, AnImageOfAContainerStaysAndAPullHealsIt) {
  users_.users[image_.id().str()] = {{"c1", false}};
  ASSERT_TRUE(sys::unlink_at(sys::kCwd, blob_path(codec::sha256(image_.blobs[0]))));
  const auto report = check(true);
  EXPECT_THAT(kinds(report), ElementsAre("missing-blob", "broken-image"));
  EXPECT_FALSE(report.findings[1].repaired);
  EXPECT_THAT(report.findings[1].remedy, HasSubstr("pull or load " + name_ + " again"));
  ASSERT_TRUE(world_.pull(name_));
  EXPECT_THAT(kinds(check()), IsEmpty());
}

TEST_F(CheckTest, ADamagedBlobIsTakenOutAndPulledAgain) {
  users_.users[image_.id().str()] = {{"c1", true}};
  damage(codec::sha256(image_.blobs[0]));
  EXPECT_THAT(kinds(check(false, true)), IsEmpty()) << "a quick check reads no blob";
  EXPECT_THAT(kinds(check()), ElementsAre("damaged-blob", "broken-image"));
  const auto report = check(true);
  EXPECT_TRUE(report.findings[0].repaired);
  ASSERT_TRUE(world_.pull(name_));
  EXPECT_THAT(kinds(check()), IsEmpty());
  EXPECT_EQ(world_.content->read(codec::sha256(image_.blobs[0])).value(), image_.blobs[0]);
}

TEST_F(CheckTest, AnImageWithoutItsConfigGoes) {
  damage(image_.id());
  EXPECT_THAT(kinds(check(true)), ElementsAre("damaged-blob", "broken-image"));
  EXPECT_THAT(kinds(check(true)), IsEmpty());
  EXPECT_TRUE(world_.is_empty());
}

TEST_F(CheckTest, AManifestIsWrittenAgain) {
  ASSERT_TRUE(sys::unlink_at(sys::kCwd, blob_path(image_.digest())));
  const auto report = check(true);
  EXPECT_THAT(kinds(report), ElementsAre("missing-blob", "lost-manifest"));
  EXPECT_THAT(kinds(check()), IsEmpty());
  EXPECT_TRUE(world_.save({name_}));
}

TEST_F(CheckTest, WhatNobodyNeedsIsRemoved) {
  ASSERT_TRUE(world_.content->write_blob("of nobody"));
  ASSERT_TRUE(world_.snapshotter->prepare("gone-container", world_.store->get(name_)->top_layer));
  ASSERT_TRUE(world_.snapshotter->prepare("container", ""));
  users_.owners = {"container"};
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, world_.root + "/snapshots/777/fs", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, world_.root + "/content/ingest/new-0123", "half"));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, world_.root + "/content/ingest/sha256-" + std::string(64, 'a'), "half"));
  expect_repaired({"unknown-folder", "unneeded-snapshot", "orphaned-ingest", "orphaned-ingest", "unneeded-blob"});
  EXPECT_TRUE(world_.snapshotter->has("container").value());
  EXPECT_EQ(sys::list_dir(sys::kCwd, world_.root + "/content/ingest")->size(), 0U);
}

TEST_F(CheckTest, WhatIsYoungIsLeftAlone) {
  ASSERT_TRUE(world_.content->write_blob("of somebody"));
  ASSERT_TRUE(world_.snapshotter->prepare("container", ""));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, world_.root + "/content/ingest/sha256-" + std::string(64, 'a'), "half"));
  EXPECT_THAT(kinds(world_.store->check({.repair = true}, users_).value()), IsEmpty());
  EXPECT_TRUE(world_.snapshotter->has("container").value());
}

TEST_F(CheckTest, WorkUnderWayIsNoFinding) {
  auto lease = world_.content->lease();
  auto ingest = world_.content->ingest(codec::sha256("abc"), 3).value();
  ASSERT_TRUE(ingest.write("a"));
  const auto staging = world_.snapshotter->stage().value();
  EXPECT_THAT(kinds(check(true)), IsEmpty());
  ASSERT_TRUE(ingest.write("bc"));
  lease.add(ingest.commit().value());
  check(true);
  EXPECT_TRUE(world_.content->has(codec::sha256("abc")).value()) << "it is leased";
}

TEST_F(CheckTest, ContainersWithoutTheirSnapshotAreTold) {
  users_.owners = {"c1", "c2"};
  ASSERT_TRUE(world_.snapshotter->prepare("c2", ""));
  const std::string upper = world_.snapshotter->mounts("c2")->upper;
  ASSERT_TRUE(sys::remove_tree(sys::kCwd, upper.substr(0, upper.rfind('/'))));
  const auto report = check(true);
  EXPECT_THAT(kinds(report), UnorderedElementsAre("missing-folder", "missing-snapshot"));
  for (const auto& finding : report.findings) {
    EXPECT_FALSE(finding.repaired);
    EXPECT_THAT(finding.remedy, HasSubstr("remove the container"));
  }
}

TEST_F(CheckTest, WrongRecordsAreCorrected) {
  ASSERT_TRUE(world_.snapshotter->usage(world_.store->get(name_)->top_layer));
  sql("UPDATE images SET size = 7");
  sql("UPDATE snapshots SET bytes = 7 WHERE bytes IS NOT NULL");
  expect_repaired({"wrong-size", "wrong-size"});
  EXPECT_EQ(world_.store->get(name_)->size, 100'000U);
  sql("DELETE FROM image_layers WHERE position = 1");
  expect_repaired({"wrong-layers"});
  EXPECT_EQ(world_.file(name_, "b"), noise(50'000, 2));
}

TEST_F(CheckTest, AnIndexThatWasChangedIsWrittenAgain) {
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, world_.root + "/content/index.json", "{}"));
  expect_repaired({"stale-index"});
}

}  // namespace
}  // namespace image
