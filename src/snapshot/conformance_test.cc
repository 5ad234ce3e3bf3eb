/// The contract of snapshotter.h, which every implementation runs.

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot/snapshotter.h"
#include "snapshot/usage.h"
#include "sys/file.h"
#include "sys/node.h"
#include "sys/storage.h"

namespace snapshot {
namespace {

using Open = base::Result<std::unique_ptr<Snapshotter>> (*)(const std::string&, state::Database&);

class Conformance : public testing::TestWithParam<std::pair<const char*, Open>> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "whiteouts and trusted xattrs need root";
    std::string name = "/var/tmp/caisson-snapshot-XXXXXX";
    path_ = ::mkdtemp(name.data());
    database_ = state::Database::open(path_ + "/db").value();
    reopen();
  }
  void TearDown() override {
    snapshotter_.reset();
    database_.reset();
    if (path_.empty()) return;
    EXPECT_TRUE(sys::remove_tree(sys::kCwd, path_));
  }
  void reopen() {
    snapshotter_.reset();
    auto opened = GetParam().second(path_ + "/snapshots", *database_);
    ASSERT_TRUE(opened) << opened.error().message();
    snapshotter_ = std::move(*opened);
  }

  using Fill = std::function<void(int dir)>;
  NewLayer layer(const std::string& id, const std::string& parent, const Fill& fill) {
    NewLayer out{.staging = snapshotter_->stage().value(), .chain_id = id, .parent = parent};
    fill(out.staging.dir());
    return out;
  }
  void commit(const std::string& id, const std::string& parent, const Fill& fill) {
    std::vector<NewLayer> layers;
    layers.push_back(layer(id, parent, fill));
    const auto done = snapshotter_->commit(std::move(layers));
    ASSERT_TRUE(done) << done.error().message();
  }
  static void write(int dir, const char* name, const char* text) {
    ASSERT_TRUE(sys::write_file_atomic(dir, name, text));
  }

  /// The snapshot's file system, through a detached mount.
  [[nodiscard]] sys::UniqueFd mounted(const std::string& key) {
    return open_tree(snapshotter_->mounts(key).value()).value();
  }
  [[nodiscard]] std::string read(const std::string& key, const std::string& path) {
    const auto root = mounted(key);
    return sys::read_file(root.get(), path).value_or("(none)");
  }
  [[nodiscard]] std::size_t folders() {
    snapshotter_->wait_for_trash();
    return sys::list_dir(sys::kCwd, path_ + "/snapshots")->size() - 1;  // without the trash itself
  }

  std::string path_;
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<Snapshotter> snapshotter_;
};

TEST_P(Conformance, LayersAddReplaceRemoveAndHide) {
  commit("base", "", [](int dir) {
    write(dir, "kept", "1");
    write(dir, "replaced", "1");
    write(dir, "removed", "1");
    ASSERT_TRUE(sys::make_dir(dir, "hidden", 0755));
    write(dir, "hidden/old", "1");
  });
  commit("top", "base", [](int dir) {
    write(dir, "replaced", "2");
    ASSERT_TRUE(sys::make_node(dir, "removed", S_IFCHR, 0, 0));
    ASSERT_TRUE(sys::make_dir(dir, "hidden", 0755));
    const auto hidden = sys::open_dir(dir, "hidden").value();
    ASSERT_TRUE(sys::set_xattr(hidden.get(), "trusted.overlay.opaque", "y"));
    write(dir, "hidden/new", "2");
  });
  ASSERT_TRUE(snapshotter_->prepare("c", "top"));
  EXPECT_EQ(read("c", "kept"), "1");
  EXPECT_EQ(read("c", "replaced"), "2");
  EXPECT_EQ(read("c", "removed"), "(none)");
  EXPECT_EQ(read("c", "hidden/old"), "(none)");
  EXPECT_EQ(read("c", "hidden/new"), "2");
}

TEST_P(Conformance, AttributesAndHardLinksAreKept) {
  commit("base", "", [](int dir) {
    write(dir, "file", "x");
    ASSERT_TRUE(sys::hard_link(dir, "file", dir, "link"));
    ASSERT_TRUE(sys::set_owner_at(dir, "file", 12, 34));
    ASSERT_TRUE(sys::set_mode_at(dir, "file", 04751));
    ASSERT_TRUE(sys::set_xattr_at(dir, "file", "user.note", "kept"));
    ASSERT_TRUE(sys::set_times_at(dir, "file", {1000, 5}));
  });
  ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  const auto root = mounted("c");
  const auto status = sys::stat_at(root.get(), "file").value();
  EXPECT_EQ(status.st_uid, 12U);
  EXPECT_EQ(status.st_gid, 34U);
  EXPECT_EQ(status.st_mode & 07777U, 04751U);
  EXPECT_EQ(status.st_mtim.tv_nsec, 5);
  EXPECT_EQ(status.st_ino, sys::stat_at(root.get(), "link")->st_ino);
  EXPECT_EQ(sys::xattr_at(root.get(), "file", "user.note").value(), "kept");
}

TEST_P(Conformance, TheRootTakesItsAttributesFromTheLayerBelow) {
  std::vector<NewLayer> layers;
  layers.push_back(layer("top", "base", [](int dir) { write(dir, "x", "x"); }));
  layers.push_back(layer("base", "", [](int dir) { ASSERT_TRUE(sys::set_mode(dir, 0711)); }));
  layers.back().describes_root = true;
  ASSERT_TRUE(snapshotter_->commit(std::move(layers)));
  ASSERT_TRUE(snapshotter_->prepare("c", "top"));
  const auto root = mounted("c");
  EXPECT_EQ(sys::stat_fd(root.get())->st_mode & 07777U, 0711U);
}

TEST_P(Conformance, WritesStayInTheirSnapshot) {
  commit("base", "", [](int dir) { write(dir, "file", "base"); });
  ASSERT_TRUE(snapshotter_->prepare("a", "base"));
  ASSERT_TRUE(snapshotter_->prepare("b", "base"));
  {
    const auto root = mounted("a");
    ASSERT_TRUE(sys::write_file(root.get(), "file", "mine"));
  }
  EXPECT_EQ(read("a", "file"), "mine");
  EXPECT_EQ(read("b", "file"), "base");
}

TEST_P(Conformance, PromotionMakesALayer) {
  commit("base", "", [](int dir) { write(dir, "file", "base"); });
  ASSERT_TRUE(snapshotter_->prepare("a", "base"));
  {
    const auto root = mounted("a");
    write(root.get(), "added", "by a");
  }
  ASSERT_TRUE(snapshotter_->promote("a", "second"));
  EXPECT_EQ(snapshotter_->info("second")->kind, Kind::Layer);
  EXPECT_FALSE(snapshotter_->has("a").value());
  ASSERT_TRUE(snapshotter_->prepare("b", "second"));
  EXPECT_EQ(read("b", "added"), "by a");
  EXPECT_EQ(read("b", "file"), "base");
}

TEST_P(Conformance, AHundredAndFiftyLayers) {
  std::string parent;
  std::vector<NewLayer> layers;
  for (int i = 0; i < 150; ++i) {
    const std::string id = "layer" + std::to_string(i);
    layers.push_back(layer(id, parent, [&](int dir) { write(dir, id.c_str(), "x"); }));
    parent = id;
  }
  ASSERT_TRUE(snapshotter_->commit(std::move(layers)));
  ASSERT_TRUE(snapshotter_->prepare("c", parent));
  EXPECT_EQ(read("c", "layer0"), "x");
  EXPECT_EQ(read("c", "layer149"), "x");
}

TEST_P(Conformance, RefusalsSayWhy) {
  EXPECT_TRUE(snapshotter_->prepare("c", "missing").failed_as(base::ErrorKind::NotFound));
  commit("base", "", [](int) {});
  ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  EXPECT_TRUE(snapshotter_->prepare("c", "base").failed_as(base::ErrorKind::Conflict));
  EXPECT_TRUE(snapshotter_->remove("base").failed_as(base::ErrorKind::Conflict));
  EXPECT_TRUE(snapshotter_->mounts("nothing").failed_as(base::ErrorKind::NotFound));
  EXPECT_TRUE(snapshotter_->remove("nothing"));
  std::vector<NewLayer> orphan;
  orphan.push_back(layer("orphan", "missing", [](int) {}));
  EXPECT_TRUE(snapshotter_->commit(std::move(orphan)).failed_as(base::ErrorKind::NotFound));
  EXPECT_EQ(folders(), 2U) << "what was refused leaves nothing behind";
}

TEST_P(Conformance, RemovedMeansGoneFromTheDisk) {
  commit("base", "", [](int dir) { write(dir, "file", "x"); });
  ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  EXPECT_GE(snapshotter_->usage("base")->inodes, 2U);
  ASSERT_TRUE(snapshotter_->remove("c"));
  ASSERT_TRUE(snapshotter_->remove("base"));
  {
    const auto dropped = snapshotter_->stage().value();
  }
  EXPECT_EQ(folders(), 0U);
  EXPECT_TRUE(snapshotter_->list()->empty());
}

TEST_P(Conformance, ASecondCommitOfALayerIsHarmless) {
  commit("base", "", [](int dir) { write(dir, "file", "first"); });
  commit("base", "", [](int dir) { write(dir, "file", "second"); });
  ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  EXPECT_EQ(read("c", "file"), "first");
  EXPECT_EQ(folders(), 2U);
}

TEST_P(Conformance, ALayerWithoutItsFolderGetsItBack) {
  commit("base", "", [](int dir) { write(dir, "file", "x"); });
  commit("top", "base", [](int) {});
  ASSERT_TRUE(snapshotter_->prepare("c", "top"));
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, path_ + "/snapshots/999/fs", 0755));
  const std::string lower = snapshotter_->mounts("base")->bind_source;
  snapshotter_.reset();
  ASSERT_TRUE(sys::remove_tree(sys::kCwd, lower.substr(0, lower.rfind('/'))));
  reopen();
  EXPECT_EQ(folders(), 2U) << "the folder without a row is gone, what stands on the lost layer is not";
  EXPECT_FALSE(snapshotter_->has("base").value());
  EXPECT_TRUE(snapshotter_->has("top").value());
  const auto damages = snapshotter_->check().value();
  ASSERT_EQ(damages.size(), 1U);
  EXPECT_EQ(damages[0].kind, Damage::Kind::FolderMissing);
  EXPECT_EQ(damages[0].info.key, "base");
  EXPECT_TRUE(snapshotter_->repair(damages[0]).failed_as(base::ErrorKind::Conflict));
  commit("base", "", [](int dir) { write(dir, "file", "x"); });
  EXPECT_TRUE(snapshotter_->has("base").value());
  EXPECT_EQ(read("c", "file"), "x");
  EXPECT_TRUE(snapshotter_->check()->empty());
}

TEST_P(Conformance, AWritableSnapshotWithoutItsFolderIsDropped) {
  commit("base", "", [](int) {});
  ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  const std::string upper = snapshotter_->mounts("c")->upper;
  ASSERT_TRUE(sys::remove_tree(sys::kCwd, upper.substr(0, upper.rfind('/'))));
  EXPECT_FALSE(snapshotter_->has("c").value());
  reopen();
  ASSERT_EQ(snapshotter_->list()->size(), 1U);
  EXPECT_EQ(folders(), 1U);
}

TEST_P(Conformance, WhatRowsAndFoldersSayDifferentlyIsFoundAndRepaired) {
  commit("base", "", [](int dir) { write(dir, "file", "x"); });
  const auto right = snapshotter_->usage("base").value();
  const auto staged = snapshotter_->stage().value();
  EXPECT_TRUE(snapshotter_->check()->empty()) << "a folder that is being filled is in order";
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, path_ + "/snapshots/999/fs", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, path_ + "/snapshots/999/fs/big", std::string(100'000, 'x')));
  ASSERT_TRUE(database_->transaction(state::Durability::ProcessDeath, [](state::Transaction& transaction) -> base::Result<> {
    TRY(transaction.execute("UPDATE snapshots SET bytes = 1"));
    return {};
  }));
  const auto damages = snapshotter_->check().value();
  ASSERT_EQ(damages.size(), 2U);
  EXPECT_EQ(damages[0].kind, Damage::Kind::WrongUsage);
  EXPECT_EQ(damages[0].found.bytes, right.bytes);
  EXPECT_EQ(damages[1].kind, Damage::Kind::FolderUnknown);
  EXPECT_EQ(damages[1].number, 999U);
  EXPECT_GE(damages[1].found.bytes, 100'000U);
  for (const auto& damage : damages) ASSERT_TRUE(snapshotter_->repair(damage));
  EXPECT_TRUE(snapshotter_->check()->empty());
  EXPECT_EQ(folders(), 2U);
}

TEST_P(Conformance, TheAccountsAreWhatTheDiskSays) {
  commit("base", "", [](int dir) {
    write(dir, "file", std::string(300'000, 'x').c_str());
    ASSERT_TRUE(sys::hard_link(dir, "file", dir, "link"));
    const auto sparse = sys::open_at(dir, "sparse", O_WRONLY | O_CREAT, 0644).value();
    ASSERT_TRUE(sys::truncate_file(sparse.get(), 1U << 30U));
    for (int i = 0; i < 300; ++i) write(dir, ("small" + std::to_string(i)).c_str(), "x");
  });
  ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  snapshotter_->wait_for_trash();
  const auto space = snapshotter_->space().value();
  const auto whole = usage_of_tree(path_ + "/snapshots")->bytes;
  const auto own = usage_of_tree(path_ + "/snapshots/trash")->bytes +
                   allocated_bytes(sys::stat_at(sys::kCwd, path_ + "/snapshots").value());
  EXPECT_EQ(space.layers + space.writable + space.unnamed + space.removing + own, whole);
  EXPECT_GE(space.layers, 300U * 4096U);
  EXPECT_LT(space.layers, 1U << 23U);
}

TEST_P(Conformance, OnlyAWritableSnapshotIsPromoted) {
  commit("base", "", [](int) {});
  EXPECT_TRUE(snapshotter_->promote("base", "other").failed_as(base::ErrorKind::Conflict));
  EXPECT_TRUE(snapshotter_->promote("nothing", "other").failed_as(base::ErrorKind::NotFound));
  ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  ASSERT_TRUE(snapshotter_->promote("c", "base"));  // is there already: the same change was made twice
  EXPECT_EQ(snapshotter_->list()->size(), 1U);
  EXPECT_EQ(folders(), 1U);
}

TEST_P(Conformance, AnotherDriverInTheSameRootKeepsItsSnapshots) {
  commit("base", "", [](int dir) { write(dir, "file", "x"); });
  ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  snapshotter_.reset();
  {
    const auto other = GetParam().second == &open_native
                           ? open_overlay(path_ + "/snapshots", *database_).value()
                           : open_native(path_ + "/snapshots", *database_).value();
    EXPECT_TRUE(other->list()->empty());
    ASSERT_TRUE(other->prepare("c", ""));
    other->wait_for_trash();
  }
  reopen();
  EXPECT_EQ(read("c", "file"), "x");
  EXPECT_EQ(folders(), 3U);
}

TEST_P(Conformance, ManyThreadsAtOnce) {
  commit("base", "", [](int dir) { write(dir, "file", "x"); });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 10; ++i) {
        const std::string key = std::to_string(thread * 100 + i);
        EXPECT_TRUE(snapshotter_->prepare(key, "base"));
        std::vector<NewLayer> layers;
        layers.push_back(layer("shared" + std::to_string(i), "base", [](int dir) { write(dir, "f", "y"); }));
        EXPECT_TRUE(snapshotter_->commit(std::move(layers)));
        EXPECT_TRUE(snapshotter_->mounts(key));
        if (i % 2 == 0) {
          EXPECT_TRUE(snapshotter_->remove(key));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(snapshotter_->list()->size(), 1U + 10U + 20U);
  EXPECT_EQ(folders(), 31U);
}

#ifdef CAISSON_FAULTS
TEST_P(Conformance, KilledAnywhereTheNextStartFindsOrder) {
  commit("base", "", [](int dir) { write(dir, "file", "x"); });
  ASSERT_TRUE(snapshotter_->prepare("old", "base"));
  struct Step {
    const char* point;
    std::function<void()> run;
    std::vector<std::string> after;  // keys that the next start finds
  };
  const auto commit_top = [&] { commit("top", "base", [](int) {}); };
  const auto prepare_new = [&] { base::ignore(snapshotter_->prepare("new", "base"), "it dies"); };
  const auto promote_old = [&] { base::ignore(snapshotter_->promote("old", "made"), "it dies"); };
  const auto remove_made = [&] { base::ignore(snapshotter_->remove("made"), "it dies"); };
  const std::vector<Step> steps{
      {"snapshot.commit.synced", commit_top, {"base", "old"}},
      {"snapshot.commit.recorded", commit_top, {"base", "old", "top"}},
      {"snapshot.prepare.made", prepare_new, {"base", "old", "top"}},
      {"snapshot.promote.synced", promote_old, {"base", "old", "top"}},
      {"snapshot.promote.recorded", promote_old, {"base", "made", "top"}},
      {"snapshot.remove.erased", remove_made, {"base", "top"}},
  };
  for (const auto& step : steps) {
    snapshotter_.reset();
    database_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      database_ = state::Database::open(path_ + "/db").value();
      reopen();
      ::setenv("CAISSON_CRASH_AT", step.point, 1);
      step.run();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << step.point << " was not reached";
    database_ = state::Database::open(path_ + "/db").value();
    reopen();
    std::vector<std::string> keys;
    const auto found = snapshotter_->list().value();
    for (const auto& info : found) keys.push_back(info.key);
    EXPECT_THAT(keys, testing::UnorderedElementsAreArray(step.after)) << step.point;
    EXPECT_EQ(folders(), keys.size()) << step.point;
    for (const auto& key : keys) EXPECT_EQ(read(key, "file"), "x") << step.point << " " << key;
  }
}

TEST_P(Conformance, AFullDiskLeavesNothing) {
  ::setenv("CAISSON_FAULT", "snapshot.make_folder:ENOSPC", 1);
  const auto prepared = snapshotter_->prepare("c", "");
  const auto staged = snapshotter_->stage();
  ::unsetenv("CAISSON_FAULT");
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().errno_value(), ENOSPC);
  EXPECT_FALSE(staged);
  EXPECT_EQ(folders(), 0U);
}
#endif

INSTANTIATE_TEST_SUITE_P(Snapshotters, Conformance,
                         testing::Values(std::pair{"overlay", &open_overlay},
                                         std::pair{"native", &open_native}),
                         [](const auto& parameter) { return parameter.param.first; });

}  // namespace
}  // namespace snapshot
