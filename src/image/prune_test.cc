/// What goes and what stays; what a dry run says is what a run does.

#include <gmock/gmock.h>

#include "image/testing/fixture.h"

namespace image {
namespace {

using namespace testing;  // NOLINT: the fixtures
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class PruneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "whiteouts need root";
  }
  /// Under one layer that all share, an own one of `size` bytes.
  base::Digest add(const std::string& tag, const std::string& created, std::size_t size = 1000) {
    const auto image = make_image({{{"base", noise(40'000)}}, {{"own", noise(size, static_cast<unsigned>(++seed_))}}},
                                  {.created = created});
    const auto name = spec::Reference::parse(tag).value();
    put(registry_, "x", "t", image);
    EXPECT_TRUE(world_.pull(registry_.server.host() + "/x:t"));
    EXPECT_TRUE(world_.store->tag(image.id().str(), tag, ""));
    EXPECT_TRUE(world_.store->remove(registry_.server.host() + "/x:t", false, true, Users{}));
    return image.id();
  }
  void used(const base::Digest& id, std::chrono::hours ago) {
    const auto then = base::now() - ago;
    ASSERT_TRUE(world_.database->transaction(
        state::Durability::ProcessDeath, [&](state::Transaction& transaction) -> base::Result<> {
          TRY(transaction.execute("UPDATE images SET used = ?, created = ? WHERE id = ?", {then, then, id}));
          return {};
        }));
  }
  std::vector<std::string> tags() {
    std::vector<std::string> tags;
    const auto images = world_.store->list({}).value();
    for (const auto& image : images) {
      tags.insert(tags.end(), image.repo_tags.begin(), image.repo_tags.end());
    }
    return tags;
  }
  std::uint64_t on_disk() {
    world_.snapshotter->wait_for_trash();
    const auto space = world_.store->disk_space().value();
    return space.blobs + space.layers + space.ingests;
  }

  distribution::testing::FakeRegistry registry_;
  World world_;
  Users users_;
  int seed_ = 100;
};

TEST_F(PruneTest, TheLastOfEachRepositoryStay) {
  add("a:1", "2024-01-01T00:00:00Z");
  add("a:2", "2024-01-02T00:00:00Z");
  add("a:3", "2024-01-03T00:00:00Z");
  add("b:1", "2023-01-01T00:00:00Z");
  const auto two_names = add("a:0", "2022-01-01T00:00:00Z");
  ASSERT_TRUE(world_.store->tag(two_names.str(), "c", "only"));
  const auto pruned = world_.store->prune({.all = true, .filters = {}, .keep_last = 2}, users_).value();
  EXPECT_EQ(pruned.removed.size(), 1U);
  EXPECT_THAT(tags(), UnorderedElementsAre("a:2", "a:3", "b:1", "a:0", "c:only"));
}

TEST_F(PruneTest, WhatWasUsedLatelyStays) {
  const auto old = add("old:1", "2024-01-01T00:00:00Z");
  const auto run = add("run:1", "2024-01-01T00:00:00Z");
  const auto pulled = add("pulled:1", "2024-01-01T00:00:00Z");
  for (const auto& id : {old, run, pulled}) used(id, std::chrono::hours{1000});
  { const auto hold = world_.store->hold("run:1").value(); }
  put(registry_, "x", "t", make_image({{{"base", noise(40'000)}}, {{"own", noise(1000, 103)}}}, {.created = "2024-01-01T00:00:00Z"}));
  ASSERT_TRUE(world_.pull(registry_.server.host() + "/x:t"));  // the same image as pulled:1
  ASSERT_TRUE(world_.store->remove(registry_.server.host() + "/x:t", false, true, Users{}));
  const PruneOptions options{.all = true, .filters = {}, .unused_for = std::chrono::hours{720}};
  ASSERT_EQ(world_.store->prune(options, users_)->removed.size(), 1U);
  EXPECT_THAT(tags(), UnorderedElementsAre("run:1", "pulled:1"));
  used(run, std::chrono::hours{1000});
  ASSERT_TRUE(world_.store->touch(run));
  EXPECT_THAT(world_.store->prune(options, users_)->removed, IsEmpty());
}

TEST_F(PruneTest, ADryRunSaysWhatARunDoes) {
  add("a:1", "2024-01-01T00:00:00Z", 200'000);
  const auto in_use = add("b:1", "2024-01-01T00:00:00Z", 100'000);
  users_.users[in_use.str()] = {{"c1", false}};
  PruneOptions options{.all = true, .filters = {}};
  options.dry_run = true;
  const auto before = on_disk();
  const auto told = world_.store->prune(options, users_).value();
  EXPECT_EQ(on_disk(), before);
  EXPECT_EQ(tags().size(), 2U);
  options.dry_run = false;
  const auto done = world_.store->prune(options, users_).value();
  ASSERT_EQ(told.removed.size(), 1U);
  ASSERT_EQ(done.removed.size(), 1U);
  const auto texts = [](const std::vector<spec::api::ImageDeleteItem>& items) {
    std::vector<std::string> out;
    for (const auto& item : items) out.push_back(item.untagged + "|" + item.deleted);
    return out;
  };
  EXPECT_EQ(texts(told.removed[0].items), texts(done.removed[0].items));
  EXPECT_EQ(texts(told.layers), texts(done.layers));
  EXPECT_EQ(told.bytes, done.bytes);
  EXPECT_GE(done.bytes, 400'000U) << "its own layer, and the blob of it";
  EXPECT_LE(before - on_disk(), done.bytes + 50'000);
  EXPECT_THAT(tags(), ElementsAre("b:1"));
}

TEST_F(PruneTest, TheBudgetTakesThoseUsedLeastLately) {
  const auto first = add("a:1", "2024-01-01T00:00:00Z", 300'000);
  const auto second = add("b:1", "2024-01-01T00:00:00Z", 300'000);
  const auto third = add("c:1", "2024-01-01T00:00:00Z", 300'000);
  used(first, std::chrono::hours{1});
  used(second, std::chrono::hours{3});
  used(third, std::chrono::hours{2});
  EXPECT_THAT(world_.store->evict(1ULL << 40U, first, users_)->removed, IsEmpty());
  auto evicted = world_.store->evict(1'500'000, first, users_).value();
  ASSERT_EQ(evicted.removed.size(), 1U);
  EXPECT_EQ(evicted.removed[0].id, second);
  EXPECT_GE(evicted.bytes, 600'000U);
  users_.users[third.str()] = {{"c1", true}};
  EXPECT_THAT(world_.store->evict(0, first, users_)->removed, IsEmpty()) << "one is in use, the other has just come";
  users_.users.clear();
  EXPECT_EQ(world_.store->evict(0, base::Digest{}, users_)->removed.size(), 2U);
  world_.snapshotter->wait_for_trash();
  EXPECT_TRUE(world_.is_empty());
}

TEST_F(PruneTest, WhenAllIsGoneTheDiskIsEmpty) {
  const auto before = on_disk();
  add("a:1", "2024-01-01T00:00:00Z", 300'000);
  add("b:1", "2024-01-01T00:00:00Z", 300'000);
  EXPECT_GT(on_disk(), before + 1'000'000);
  ASSERT_TRUE(world_.store->remove("a:1", false, true, users_));
  ASSERT_TRUE(world_.store->prune({.all = true, .filters = {}}, users_));
  EXPECT_LE(on_disk(), before + 4096) << "folders may have grown by a block";
}

}  // namespace
}  // namespace image
