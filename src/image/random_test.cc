/// Eight threads do what comes to their minds, the process is killed at named points and in between, and each time
/// the next start finds every image whole and nothing that nobody needs.
///
///   CAISSON_RANDOM_OPERATIONS=200000 CAISSON_RANDOM_SEED=7 image_test --gtest_filter='Random*'

#include <atomic>
#include <csignal>
#include <cstdio>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/testing/fixture.h"

namespace image {
namespace {

using namespace testing;  // NOLINT: the fixtures
using base::ErrorKind;
using base::Result;

constexpr int kThreads = 8;
constexpr std::size_t kImages = 6;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// What the dying process leaves for its parent to read.
struct Shared {
  std::atomic<std::uint64_t> operations{0};
  std::atomic<std::uint64_t> failures{0};
  char failure[512] = {};
};

/// Images that share layers in every way: a common base, a common middle, one's base as another's top.
std::vector<TestImage> make_images() {
  const Files base{{"base", noise(30'000, 1)}};
  const Files middle{{"middle", noise(20'000, 2)}};
  std::vector<TestImage> images;
  const auto add = [&](const std::vector<Files>& layers, codec::Compression compression) {
    images.push_back(make_image(layers, {.compression = compression, .labels = {{"n", std::to_string(images.size())}}}));
  };
  add({base, middle, {{"own", noise(9'000, 3)}}}, codec::Compression::Gzip);
  add({base, middle, {{"own", noise(9'000, 4)}}}, codec::Compression::None);
  add({base, {{"own", noise(9'000, 5)}}}, codec::Compression::Zstd);
  add({middle, base}, codec::Compression::None);
  add({base}, codec::Compression::Gzip);
  add({{{"own", noise(60'000, 6)}}, middle}, codec::Compression::None);
  return images;
}

class RandomTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "whiteouts need root";
    for (std::size_t i = 0; i < kImages; ++i) put(registry_, "r" + std::to_string(i), "1", images_[i]);
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    shared_ = new (memory) Shared;
  }
  void TearDown() override {
    if (shared_ != nullptr) ::munmap(shared_, sizeof(Shared));
  }

  /// One operation. A failure that no other thread's doing explains is the test's.
  void operate(World& world, std::mt19937& random) {
    const auto pick = [&](std::uint64_t count) { return random() % count; };
    const auto image = pick(kImages);
    const std::string pulled = registry_.server.host() + "/r" + std::to_string(image) + ":1";
    const std::string tagged = "t" + std::to_string(pick(4)) + ":" + std::to_string(pick(2));
    const std::string any = pick(2) == 0 ? pulled : tagged;
    const std::string container = "container" + std::to_string(pick(12));
    const auto work = [&]() -> Result<> {
      switch (pick(12)) {
        case 0:
        case 1:
        case 2: TRY(world.pull(pulled)); break;
        case 3: TRY(world.load(archives_[image])); break;
        case 4: TRY(world.store->tag(any, tagged.substr(0, 2), tagged.substr(3))); break;
        case 5: TRY(world.store->remove(any, pick(2) == 0, true, users_)); break;
        case 6: TRY(world.store->remove(images_[image].id().str(), true, true, users_)); break;
        case 7: TRY(world.store->prune({.all = pick(3) != 0, .filters = {}, .dry_run = pick(4) == 0}, users_)); break;
        case 8: {
          const auto hold = TRY(world.store->hold(any));
          CommitRequest request;
          request.parent = hold.image().id;
          request.name = spec::Reference::parse(tagged).value();
          const std::string tar = layer_tar({{"own", noise(2'000, static_cast<unsigned>(10 + pick(3)))}});
          TRY(world.store->commit(request, [&](base::ByteSink& sink) -> Result<bool> {
            TRY(sink.write(tar));
            return true;
          }));
          break;
        }
        case 9: {
          const auto hold = TRY(world.store->hold(any));
          TRY(world.snapshotter->prepare(container, hold.image().top_layer));
          break;
        }
        case 10:
          TRY(world.snapshotter->remove(container));
          TRY(world.store->collect());
          break;
        default: {
          if (pick(4) == 0) {
            TRY(world.store->evict(100'000, images_[image].id(), users_));
            break;
          }
          base::StringSink sink;
          TRY(world.store->save({any}, sink));
        }
      }
      return {};
    };
    const auto done = work();
    ++shared_->operations;
    if (done || done.failed_as(ErrorKind::NotFound) || done.failed_as(ErrorKind::Conflict)) return;
    if (shared_->failures++ == 0) {
      std::snprintf(shared_->failure, sizeof(shared_->failure), "%s", done.error().message().c_str());
    }
  }

  void operate_in_threads(World& world, unsigned seed, std::uint64_t each) {
    std::vector<std::jthread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        std::mt19937 random{seed * kThreads + thread};
        for (std::uint64_t i = 0; i < each; ++i) operate(world, random);
      });
    }
  }

  /// Every image is readable to its last byte and can be saved, and there is nothing else.
  void expect_order(World& world, const std::string& when) {
    Users users;
    const auto snapshots = world.snapshotter->list().value();
    for (const auto& info : snapshots) {
      if (info.kind == snapshot::Kind::Writable) users.owners.push_back(info.key);
    }
    world.store->wait_for_drops();
    const auto report = world.store->check({.repair = false, .grace = std::chrono::seconds{0}}, users).value();
    for (const auto& finding : report.findings) {
      // What a killed pull had finished, and what waits to be resumed.
      if (finding.kind == "unneeded-blob" || finding.kind == "orphaned-ingest") continue;
      ADD_FAILURE() << when << ": " << finding.kind << " " << finding.subject << ": " << finding.problem;
    }
    const auto list = world.store->list({}).value();
    for (const auto& image : list) {
      for (const auto& known : images_) {
        if (known.id().str() != image.id) continue;
        const auto mounts = world.snapshotter->mounts(world.store->get(image.id)->top_layer).value();
        EXPECT_TRUE(snapshot::open_tree(mounts)) << when;
      }
      const auto saved = world.save({image.id});
      EXPECT_TRUE(saved) << when << ": " << image.id << ": " << saved.error().message();
    }
  }

  const std::vector<TestImage> images_ = make_images();
  std::vector<std::string> archives_;
  distribution::testing::FakeRegistry registry_;
  Users users_;
  Shared* shared_ = nullptr;
};

#ifdef CAISSON_FAULTS
TEST_F(RandomTest, OperationsAndCrashesLoseNothingAndLeakNothing) {
  const auto wanted = number_from("CAISSON_RANDOM_OPERATIONS", 10'000);
  const auto seed = static_cast<unsigned>(number_from("CAISSON_RANDOM_SEED", 1));
  // In memory where that is possible: thousands of fsyncs are not what is looked at here.
  if (::access("/dev/shm", W_OK) == 0) ::setenv("TEST_TMPDIR", "/dev/shm", 0);
  World world;
  for (std::size_t i = 0; i < kImages; ++i) {
    ASSERT_TRUE(world.pull(registry_.server.host() + "/r" + std::to_string(i) + ":1"));
    archives_.push_back(world.save({images_[i].id().str()}).value());
  }
  const std::vector<const char*> points{
      "content.commit.verified", "content.commit.synced",   "content.commit.renamed",   "image.pull.layer",
      "image.install.unpacked",  "image.install.committed", "image.commit.blobs",       "image.commit.recorded",
      "snapshot.commit.synced",  "snapshot.commit.recorded", "snapshot.prepare.made",   "snapshot.remove.erased",
      "image.drop.seen",         "image.drop.removed"};
  std::mt19937 random{seed};
  for (unsigned round = 0; shared_->operations < wanted; ++round) {
    world.close();
    const auto before = shared_->operations.load();
    const char* point = random() % 3 == 0 ? nullptr : points[random() % points.size()];
    const std::uint64_t calm = random() % 30;
    const std::uint64_t kill_after = 50 + random() % 400;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      world.open();
      operate_in_threads(world, seed + 2 * round, calm);
      if (point != nullptr) ::setenv("CAISSON_CRASH_AT", point, 1);
      operate_in_threads(world, seed + 2 * round + 1, 100);
      ::_exit(0);
    }
    // Killed in the middle of things where no point is named, or where none is come by.
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
      if (shared_->operations - before > kill_after) ::kill(child, SIGKILL);
      ::usleep(500);
    }
    world.open();
    const std::string when = fmt::format("round {} of seed {}, {}", round, seed, point != nullptr ? point : "killed");
    expect_order(world, when);
    ASSERT_EQ(shared_->failures, 0U) << when << ": " << shared_->failure;
    if (HasFailure()) return;
  }
  // And once without a crash; then all of it goes.
  operate_in_threads(world, seed + 1'000'000, 50);
  expect_order(world, "at the end");
  const auto snapshots = world.snapshotter->list().value();
  for (const auto& info : snapshots) {
    if (info.kind != snapshot::Kind::Writable) continue;
    EXPECT_TRUE(world.snapshotter->remove(info.key));
  }
  ASSERT_TRUE(world.store->prune({.all = true, .filters = {}}, users_));
  const auto rest = world.store->check({.repair = true, .grace = std::chrono::seconds{0}}, users_).value();
  for (const auto& finding : rest.findings) EXPECT_EQ(finding.kind, "orphaned-ingest") << finding.subject;
  world.snapshotter->wait_for_trash();
  EXPECT_TRUE(world.is_empty());
  EXPECT_EQ(shared_->failures, 0U) << shared_->failure;
}
#endif

}  // namespace
}  // namespace image
