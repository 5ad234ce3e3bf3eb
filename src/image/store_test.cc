#include "image/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "image/detail/board.h"
#include "image/detail/glob.h"
#include "image/detail/progress.h"
#include "image/testing/fixture.h"

namespace {

using base::ErrorKind;
using distribution::testing::FakeRegistry;
using image::Filters;
using image::testing::make_image;
using image::testing::TestImage;
using image::testing::Users;
using image::testing::World;
using testing::ElementsAre;
using testing::HasSubstr;

/// A world with images from a registry, named as docker.io would name them.
class StoreTest : public testing::Test {
 protected:
  base::Digest add(const std::string& name, const TestImage& image) {
    put(registry, "x", "t", image);
    EXPECT_TRUE(world.pull(registry.server.host() + "/x:t"));
    EXPECT_TRUE(world.store->tag(image.id().str(), name, ""));
    EXPECT_TRUE(world.store->remove(registry.server.host() + "/x:t", false, true, Users{}));
    return image.id();
  }
  std::vector<std::string> remove(const std::string& ref, bool force = false) {
    const auto removed = world.store->remove(ref, force, true, users);
    if (!removed) return {"error: " + removed.error().message()};
    std::vector<std::string> lines;
    for (const auto& item : removed->items) {
      lines.push_back(item.untagged.empty() ? "Deleted: " + item.deleted : "Untagged: " + item.untagged);
    }
    return lines;
  }
  std::vector<std::string> names(const Filters& filters) {
    const auto list = world.store->list({.filters = filters});
    if (!list) return {"error: " + list.error().message()};
    std::vector<std::string> names;
    for (const auto& image : *list)
      names.push_back(image.repo_tags.empty() ? "<none>" : image.repo_tags.front());
    return names;
  }
  static std::string refused(const base::Digest& id, const std::string& why) {
    return "error: conflict: unable to delete " + id.short_hex() + why;
  }

  FakeRegistry registry;
  World world;
  Users users;
  const TestImage one = make_image({{{"base", "b"}}, {{"one", "1"}}}, {.labels = {{"tier", "web"}}});
  const TestImage two = make_image({{{"base", "b"}}, {{"two", "2"}}}, {.created = "2024-06-01T00:00:00Z"});
};

TEST_F(StoreTest, FindsImagesByNameIdAndPrefix) {
  const auto id = add("app:1", one);
  for (const auto& ref :
       {std::string{"app:1"}, std::string{"docker.io/library/app:1"}, id.str(), std::string{id.hex()},
        id.short_hex(), "sha256:" + id.short_hex(), id.short_hex().substr(0, 4)}) {
    const auto found = world.store->get(ref);
    ASSERT_TRUE(found) << ref << ": " << found.error().message();
    EXPECT_EQ(found->id, id);
  }
  const auto message = [&](const std::string& ref) { return world.store->get(ref).error().message(); };
  EXPECT_EQ(message("app"), "No such image: app:latest");
  EXPECT_EQ(message("me/nope:2"), "No such image: me/nope:2");
  EXPECT_EQ(message("sha256:" + std::string(64, '0')), "No such image: sha256:" + std::string(64, '0'));
  EXPECT_EQ(message(std::string(64, '0')), "No such image: " + std::string(64, '0'));
  EXPECT_EQ(message("App"), "invalid reference format: repository name (library/App) must be lowercase");
  EXPECT_EQ(message(""), "invalid reference format");
  EXPECT_TRUE(world.store->get("App").failed_as(ErrorKind::InvalidArgument));
}

TEST_F(StoreTest, ANameGoesBeforeAnId) {
  const auto id = add("app:1", one);
  const auto other = add("other:1", two);
  ASSERT_TRUE(world.store->tag("other:1", id.short_hex(), ""));
  EXPECT_EQ(world.store->get(id.short_hex())->id, other);
}

TEST_F(StoreTest, RemovingTheLastNameDeletes) {
  const auto id = add("app:1", one);
  ASSERT_TRUE(world.store->tag("app:1", "app", "2"));
  EXPECT_THAT(remove("app:2"), ElementsAre("Untagged: app:2"));
  const auto chain = spec::chain_ids(spec::ImageConfig::parse(one.config)->diff_ids());
  EXPECT_THAT(remove("app:1"), ElementsAre("Untagged: app:1", "Deleted: " + id.str(),
                                           "Deleted: " + chain[1].str(), "Deleted: " + chain[0].str()));
  EXPECT_THAT(remove("app:1"), ElementsAre("error: No such image: app:1"));
  EXPECT_TRUE(world.is_empty());
  EXPECT_TRUE(world.content->index()->empty());
}

TEST_F(StoreTest, TheLastTagTakesItsDigestsAlong) {
  put(registry, "x", "t", one);
  const std::string name = registry.server.host() + "/x";
  ASSERT_TRUE(world.pull(name + ":t"));
  const auto lines = remove(name + ":t");
  ASSERT_GE(lines.size(), 3U);
  EXPECT_EQ(lines[0], "Untagged: " + name + ":t");
  EXPECT_EQ(lines[1], "Untagged: " + name + "@" + one.digest().str());
  EXPECT_EQ(lines[2], "Deleted: " + one.id().str());
  EXPECT_TRUE(world.is_empty());
}

TEST_F(StoreTest, SharedLayersStay) {
  add("one", one);
  const auto id = add("two", two);
  EXPECT_EQ(remove("one").size(), 3U);  // name, image, its own layer
  EXPECT_EQ(world.file("two", "base"), "b");
  EXPECT_EQ(remove(id.short_hex()).size(), 4U);
  EXPECT_TRUE(world.is_empty());
}

TEST_F(StoreTest, AnIdWithSeveralNamesNeedsForce) {
  const auto id = add("app:1", one);
  ASSERT_TRUE(world.store->tag("app:1", "other", ""));
  EXPECT_THAT(remove(id.short_hex()),
              ElementsAre(refused(id, " (must be forced) - image is referenced in multiple repositories")));
  const auto lines = remove(id.short_hex(), true);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0], "Untagged: app:1");
  EXPECT_EQ(lines[1], "Untagged: other:latest");
  EXPECT_EQ(lines[2], "Deleted: " + id.str());
  EXPECT_TRUE(world.is_empty());
}

TEST_F(StoreTest, ContainersKeepTheirImage) {
  const auto id = add("app:1", one);
  const std::string container = "0123456789abcdef";
  users.users[id.str()] = {{container, false}};
  EXPECT_THAT(
      remove("app:1"),
      ElementsAre("error: conflict: unable to remove repository reference \"app:1\" (must force) - container "
                  "0123456789ab is using its referenced image " +
                  id.short_hex()));
  EXPECT_THAT(
      remove(id.str()),
      ElementsAre(refused(id, " (must be forced) - image is being used by stopped container 0123456789ab")));
  users.users[id.str()] = {{container, true}};
  EXPECT_THAT(remove(id.str(), true),
              ElementsAre(refused(
                  id, " (cannot be forced) - image is being used by running container 0123456789ab")));
  // By name and force: the name goes, the image stays.
  EXPECT_THAT(remove("app:1", true), ElementsAre("Untagged: app:1"));
  EXPECT_TRUE(world.store->get(id.str()));
  users.users[id.str()] = {{container, false}};
  EXPECT_EQ(remove(id.str(), true).front(), "Deleted: " + id.str());
  EXPECT_TRUE(world.is_empty());
}

TEST_F(StoreTest, LayersUnderAContainerGoWithIt) {
  const auto id = add("app:1", one);
  ASSERT_TRUE(world.snapshotter->prepare("container", world.store->get("app:1")->top_layer));
  users.users[id.str()] = {{"container", false}};
  ASSERT_EQ(remove(id.str(), true).size(), 2U);
  EXPECT_EQ(world.layers(), 3U);
  ASSERT_TRUE(world.store->collect());
  EXPECT_EQ(world.layers(), 3U);
  ASSERT_TRUE(world.snapshotter->remove("container"));
  ASSERT_TRUE(world.store->collect());
  EXPECT_TRUE(world.is_empty());
}

TEST_F(StoreTest, AHoldKeepsTheLayers) {
  const auto id = add("app:1", one);
  {
    const auto hold = world.store->hold("app:1");
    ASSERT_TRUE(hold);
    EXPECT_EQ(hold->image().id, id);
    EXPECT_EQ(remove("app:1").size(), 2U);
    EXPECT_TRUE(world.snapshotter->prepare("container", hold->image().top_layer));
  }
  ASSERT_TRUE(world.snapshotter->remove("container"));
  ASSERT_TRUE(world.store->collect());
  EXPECT_TRUE(world.is_empty());
  EXPECT_TRUE(world.store->hold("app:1").failed_as(ErrorKind::NotFound));
}

TEST_F(StoreTest, TagsAreChecked) {
  add("app:1", one);
  const auto message = [&](const std::string& repository, const std::string& tag) {
    const auto result = world.store->tag("app:1", repository, tag);
    return result ? std::string{"ok"} : result.error().message();
  };
  EXPECT_EQ(message("me/app", "2"), "ok");
  EXPECT_EQ(message("me/app", ""), "ok");
  EXPECT_EQ(message("App", ""), "invalid reference format: repository name (library/App) must be lowercase");
  EXPECT_EQ(message("app", "a b"), "invalid tag format");
  EXPECT_EQ(message("app@sha256:" + std::string(64, 'a'), ""),
            "refusing to create a tag with a digest reference");
  EXPECT_EQ(message("sha256", "x"), "refusing to create an ambiguous tag using digest algorithm as name");
  EXPECT_THAT(names({}), ElementsAre("app:1"));
}

TEST_F(StoreTest, ListsAndFilters) {
  add("old/one:1", one);
  add("two", two);
  EXPECT_THAT(names({}), ElementsAre("two:latest", "old/one:1"));  // newest first
  EXPECT_THAT(names({{"label", {"tier"}}}), ElementsAre("old/one:1"));
  EXPECT_THAT(names({{"label", {"tier=web"}}}), ElementsAre("old/one:1"));
  EXPECT_THAT(names({{"label", {"tier=db"}}}), ElementsAre());
  EXPECT_THAT(names({{"reference", {"two"}}}), ElementsAre("two:latest"));
  EXPECT_THAT(names({{"reference", {"*/one"}}}), ElementsAre("old/one:1"));
  EXPECT_THAT(names({{"reference", {"t*:l*"}}}), ElementsAre("two:latest"));
  EXPECT_THAT(names({{"before", {"two"}}}), ElementsAre("old/one:1"));
  EXPECT_THAT(names({{"since", {"old/one:1"}}}), ElementsAre("two:latest"));
  EXPECT_THAT(names({{"until", {"2024-03-01"}}}), ElementsAre("old/one:1"));
  EXPECT_THAT(names({{"dangling", {"true"}}}), ElementsAre());
  EXPECT_THAT(names({{"dangling", {"false"}}}), ElementsAre("two:latest", "old/one:1"));
  EXPECT_THAT(names({{"dangling", {"maybe"}}}), ElementsAre("error: invalid filter 'dangling=[maybe]'"));
  EXPECT_THAT(names({{"nonsense", {"x"}}}), ElementsAre("error: invalid filter 'nonsense'"));
  EXPECT_THAT(names({{"before", {"nope"}}}), ElementsAre("error: No such image: nope:latest"));
}

TEST_F(StoreTest, HistoryTellsSizes) {
  add("app:1", one);
  const auto history = world.store->history("app:1");
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ(history->at(0).id, one.id().str());
  EXPECT_EQ(history->at(0).tags, std::vector<std::string>{"app:1"});
  EXPECT_EQ(history->at(0).created_by, "layer 1");
  EXPECT_EQ(history->at(1).id, "<missing>");
  EXPECT_EQ(history->at(1).size, 1);
}

TEST_F(StoreTest, TheLayoutsIndexIsKeptTrue) {
  add("app:1", one);
  ASSERT_TRUE(world.store->tag("app:1", "app", "2"));
  add("two", two);
  ASSERT_TRUE(world.store->tag("two", "app", "2"));
  std::map<std::string, std::string> seen;
  const auto index = world.content->index().value();
  for (const auto& entry : index) {
    seen[entry.annotations.at(std::string{content::kImageNameAnnotation})] = entry.digest.str();
  }
  EXPECT_EQ(seen, (std::map<std::string, std::string>{{"docker.io/library/app:1", one.digest().str()},
                                                      {"docker.io/library/app:2", two.digest().str()},
                                                      {"docker.io/library/two:latest", two.digest().str()}}));
}

TEST_F(StoreTest, SurvivesARestart) {
  const auto id = add("app:1", one);
  world.reopen();
  EXPECT_EQ(world.store->get("app:1")->id, id);
  EXPECT_EQ(world.file("app:1", "one"), "1");
}

TEST_F(StoreTest, AnImageWithoutLayers) {
  const auto empty = make_image({});
  add("scratch:1", empty);
  EXPECT_EQ(world.store->get("scratch:1")->top_layer, "");
  EXPECT_TRUE(world.store->inspect("scratch:1"));
  EXPECT_EQ(remove("scratch:1").size(), 2U);
  EXPECT_TRUE(world.is_empty());
}

TEST(Glob, IsGosPathMatch) {
  using image::detail::glob_matches;
  struct Case {
    const char* pattern;
    const char* text;
    bool matches;
  };
  for (const auto& [pattern, text, matches] : {Case{"", "", true},
                                               Case{"abc", "abc", true},
                                               Case{"*", "abc", true},
                                               Case{"*c", "abc", true},
                                               Case{"a*", "a", true},
                                               Case{"a*", "ab/c", false},
                                               Case{"a*/b", "abc/b", true},
                                               Case{"a*/b", "a/c/b", false},
                                               Case{"a*b*c*d*e*/f", "axbxcxdxe/f", true},
                                               Case{"a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false},
                                               Case{"a*b?c*x", "abxbbxdbxebxczzx", true},
                                               Case{"a*b?c*x", "abxbbxdbxebxczzy", false},
                                               Case{"ab[c]", "abc", true},
                                               Case{"ab[b-d]", "abc", true},
                                               Case{"ab[e-g]", "abc", false},
                                               Case{"ab[^c]", "abc", false},
                                               Case{"ab[^e-g]", "abc", true},
                                               Case{"a\\*b", "a*b", true},
                                               Case{"a\\*b", "ab", false},
                                               Case{"a?b", "a/b", false},
                                               Case{"a*b", "a/b", false},
                                               Case{"[\\]a]", "]", true},
                                               Case{"[\\-]", "-", true},
                                               Case{"[x\\-]", "-", true},
                                               Case{"[]a]", "]", false},
                                               Case{"[-]", "-", false},
                                               Case{"[x-]", "x", false},
                                               Case{"[-x]", "x", false},
                                               Case{"\\", "a", false},
                                               Case{"[a-b-c]", "a", false},
                                               Case{"[", "a", false},
                                               Case{"[^", "a", false},
                                               Case{"*x", "xxx", true},
                                               Case{"", "a", false}}) {
    EXPECT_EQ(glob_matches(pattern, text), matches) << pattern << " " << text;
  }
}

TEST(Progress, DrawsDockersBar) {
  using image::detail::human_size;
  using image::detail::progress_bar;
  EXPECT_EQ(human_size(0), "0B");
  EXPECT_EQ(human_size(999), "999B");
  EXPECT_EQ(human_size(33'042), "33.04kB");
  EXPECT_EQ(human_size(2'206'000), "2.206MB");
  EXPECT_EQ(progress_bar(0, 0), "");
  EXPECT_EQ(progress_bar(20, 0), "     20B");
  EXPECT_EQ(progress_bar(50, 100), "[=========================>                         ]      50B/100B");
  EXPECT_EQ(progress_bar(100, 100), "[==================================================>]     100B/100B");
}

TEST(Board, ClaimsGoAround) {
  using image::detail::Board;
  using image::detail::Claims;
  Board board;
  auto mine = std::make_unique<Claims>(board);
  Claims theirs{board};
  EXPECT_TRUE(mine->take("a"));
  EXPECT_FALSE(theirs.take("a"));
  const auto seen = board.generation();
  std::jthread waiter{[&] { EXPECT_TRUE(board.wait_for_change(seen, {})); }};
  mine.reset();
  waiter.join();
  EXPECT_TRUE(theirs.take("a"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(board.wait_for_change(board.generation(), stop.get_token()).failed_as(ErrorKind::Unavailable));
}

TEST(Board, PinsForbidRemoval) {
  image::detail::Board board;
  const auto remove = [&] {
    return board.remove_unpinned("a", []() -> base::Result<bool> { return true; }).value();
  };
  {
    const image::detail::Pin one{board, {"a", "b"}};
    const image::detail::Pin two{board, {"a"}};
    EXPECT_FALSE(remove());
  }
  EXPECT_TRUE(remove());
}

}  // namespace
