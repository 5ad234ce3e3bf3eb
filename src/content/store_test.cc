#include "content/store.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/sha256.h"
#include "sys/file.h"

namespace content {
namespace {

using base::Digest;
using base::ErrorKind;
using base::Result;

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = testing::TempDir() + "/caisson-content-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    root_ = dir_ + "/content";
    reopen();
  }
  ~StoreTest() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, dir_)); }

  void reopen() { store_ = Store::open(root_).value(); }
  std::vector<std::string> files(const std::string& sub) const {
    std::vector<std::string> names;
    const auto entries = sys::list_dir(sys::kCwd, root_ + "/" + sub).value();
    for (const auto& entry : entries) names.push_back(entry.name);
    return names;
  }
  static void fault(const char* what) {
    what != nullptr ? ::setenv("CAISSON_FAULT", what, 1) : ::unsetenv("CAISSON_FAULT");
  }

  std::string dir_, root_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, StoresAndGivesBack) {
  const Digest digest = store_->write_blob("hello").value();
  EXPECT_EQ(digest, codec::sha256("hello"));
  EXPECT_TRUE(store_->has(digest).value());
  EXPECT_EQ(store_->read(digest).value(), "hello");
  EXPECT_EQ(store_->stat(digest)->size, 5U);
  EXPECT_EQ(base::read_all(*store_->source(digest).value(), 100).value(), "hello");
  EXPECT_EQ(sys::stat_at(sys::kCwd, root_ + "/blobs/sha256/" + std::string{digest.hex()})->st_mode & 0777U,
            0444U);
  EXPECT_EQ(store_->write_blob("hello").value(), digest);
  reopen();
  ASSERT_EQ(store_->list()->size(), 1U);
  ASSERT_TRUE(store_->remove(digest));
  ASSERT_TRUE(store_->remove(digest));
  EXPECT_TRUE(store_->read(digest).failed_as(ErrorKind::NotFound));
  EXPECT_TRUE(files("ingest").empty());
}

TEST_F(StoreTest, WrongDigestLeavesNothing) {
  Ingest ingest = store_->ingest(codec::sha256("wanted"), 5).value();
  ASSERT_TRUE(ingest.write("other"));
  const auto result = ingest.commit();
  ASSERT_TRUE(result.failed_as(ErrorKind::InvalidArgument));
  EXPECT_EQ(result.error().message(), "digest mismatch: wanted " + codec::sha256("wanted").str() + ", got " +
                                          codec::sha256("other").str());
  EXPECT_TRUE(files("ingest").empty());
  EXPECT_TRUE(files("blobs/sha256").empty());
}

TEST_F(StoreTest, MoreThanPromisedIsRefusedAtOnce) {
  Ingest ingest = store_->ingest(codec::sha256("12345"), 5).value();
  ASSERT_TRUE(ingest.write("123"));
  EXPECT_TRUE(ingest.write("456").failed_as(ErrorKind::InvalidArgument));
  EXPECT_EQ(ingest.offset(), 3U);
  ASSERT_TRUE(ingest.write("45"));
  EXPECT_TRUE(ingest.commit());
}

TEST_F(StoreTest, AnInterruptedDownloadIsResumed) {
  const std::string text(100'000, 't');
  const Digest digest = codec::sha256(text);
  {
    Ingest ingest = store_->ingest(digest, text.size()).value();
    ASSERT_TRUE(ingest.write(text.substr(0, 60'000)));
    EXPECT_TRUE(ingest.commit().failed_as(ErrorKind::Unavailable)) << "too short: kept for later";
  }
  reopen();
  Ingest ingest = store_->ingest(digest, text.size()).value();
  EXPECT_EQ(ingest.offset(), 60'000U);
  EXPECT_EQ(base::read_all(*ingest.written().value(), 1U << 20U).value(), text.substr(0, 60'000));
  ASSERT_TRUE(ingest.write(text.substr(60'000)));
  EXPECT_EQ(ingest.commit().value(), digest);
  EXPECT_EQ(store_->read(digest).value(), text);
}

TEST_F(StoreTest, AResumedPrefixThatIsWrongIsFoundAndDropped) {
  const Digest digest = codec::sha256("right text");
  ASSERT_TRUE(
      sys::write_file_atomic(sys::kCwd, root_ + "/ingest/sha256-" + std::string{digest.hex()}, "wrong"));
  {
    Ingest ingest = store_->ingest(digest, 10).value();
    EXPECT_EQ(ingest.offset(), 5U);
    ASSERT_TRUE(ingest.write(" text"));
    EXPECT_TRUE(ingest.commit().failed_as(ErrorKind::InvalidArgument));
  }
  Ingest again = store_->ingest(digest, 10).value();
  EXPECT_EQ(again.offset(), 0U);
  ASSERT_TRUE(again.write("right text"));
  EXPECT_TRUE(again.commit());
}

TEST_F(StoreTest, RestartForgetsAndAbortRemoves) {
  const Digest digest = codec::sha256("abc");
  Ingest ingest = store_->ingest(digest, 3).value();
  ASSERT_TRUE(ingest.write("xy"));
  ASSERT_TRUE(ingest.restart());
  ASSERT_TRUE(ingest.write("ab"));
  ASSERT_TRUE(ingest.write("c"));
  ingest.abort();
  EXPECT_TRUE(files("ingest").empty());
  EXPECT_FALSE(ingest.commit());
}

TEST_F(StoreTest, ANewBlobTellsItsDigest) {
  Ingest ingest = store_->ingest_new().value();
  ASSERT_TRUE(ingest.write("made "));
  ASSERT_TRUE(ingest.write("here"));
  EXPECT_EQ(ingest.commit().value(), codec::sha256("made here"));
  {
    ASSERT_TRUE(store_->ingest_new()->write("dropped"));
  }
  EXPECT_TRUE(files("ingest").empty());
}

TEST_F(StoreTest, TwoDownloadsOfOneBlobTakeTurns) {
  const std::string text(1000, 'x');
  const Digest digest = codec::sha256(text);
  auto first = std::make_unique<Ingest>(store_->ingest(digest, text.size()).value());
  ASSERT_TRUE(first->write(text.substr(0, 400)));
  std::atomic<bool> begun = false;
  std::uint64_t offset = 0;
  std::jthread other{[&] {
    Ingest second = store_->ingest(digest, text.size()).value();
    begun = true;
    offset = second.offset();
    EXPECT_TRUE(second.write(std::string_view{text}.substr(offset)));
    EXPECT_TRUE(second.commit());
  }};
  EXPECT_FALSE(begun);
  first.reset();
  other.join();
  EXPECT_EQ(offset, 400U);
  EXPECT_TRUE(store_->ingest(digest, text.size())->complete());
}

TEST_F(StoreTest, TheSecondFindsTheFirstOnesBlob) {
  const Digest digest = codec::sha256("abc");
  Ingest first = store_->ingest(digest, 3).value();
  std::jthread other{[&] {
    Ingest second = store_->ingest(digest, 3).value();
    EXPECT_TRUE(second.complete());
    EXPECT_EQ(second.commit().value(), digest);
  }};
  ASSERT_TRUE(first.write("abc"));
  ASSERT_TRUE(first.commit());
}

TEST_F(StoreTest, WaitingCanBeCancelled) {
  const Digest digest = codec::sha256("abc");
  const Ingest first = store_->ingest(digest, 3).value();
  std::stop_source stop;
  std::jthread other{
      [&] { EXPECT_TRUE(store_->ingest(digest, 3, stop.get_token()).failed_as(ErrorKind::Unavailable)); }};
  stop.request_stop();
}

TEST_F(StoreTest, ManyThreadsManyBlobs) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) {
        const std::string text = "blob " + std::to_string(i);
        EXPECT_EQ(store_->write_blob(text).value(), codec::sha256(text));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(store_->list()->size(), 40U);
  EXPECT_TRUE(files("ingest").empty());
}

TEST_F(StoreTest, AnotherProcessWaitsForTheFile) {
  const Digest digest = codec::sha256("abcdef");
  Ingest ingest = store_->ingest(digest, 6).value();
  ASSERT_TRUE(ingest.write("abc"));
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto own = Store::open(root_).value();
    static_cast<void>(!::write(ready[1], "x", 1));
    const auto second = own->ingest(digest, 6);
    ::_exit(second && second->complete() ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_TRUE(ingest.write("def"));
  ASSERT_TRUE(ingest.commit());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(StoreTest, DamageOnDiskIsNoticed) {
  const Digest digest = store_->write_blob("precious").value();
  ASSERT_TRUE(store_->verify(digest));
  const std::string path = root_ + "/blobs/sha256/" + std::string{digest.hex()};
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, path, "pRecious"));
  EXPECT_TRUE(store_->verify(digest).failed_as(ErrorKind::Internal));
  EXPECT_TRUE(store_->read(digest).failed_as(ErrorKind::Internal));
}

TEST_F(StoreTest, CollectKeepsRootsLeasesAndTheYoung) {
  const Digest root = store_->write_blob("root").value();
  const Digest leased = store_->write_blob("leased").value();
  const Digest garbage = store_->write_blob("garbage").value();
  auto lease = std::make_unique<Lease>(store_->lease());
  lease->add(leased);
  lease->add(leased);
  const auto roots = [&]() -> Result<Store::Roots> { return Store::Roots{root}; };
  EXPECT_EQ(store_->collect(roots, std::chrono::hours{1})->blobs, 0U);
  const auto collected = store_->collect(roots).value();
  EXPECT_EQ(collected.blobs, 1U);
  EXPECT_EQ(collected.bytes, 7U);
  EXPECT_FALSE(store_->has(garbage).value());
  EXPECT_TRUE(store_->has(leased).value());
  lease.reset();
  EXPECT_EQ(store_->collect(roots)->blobs, 1U);
  EXPECT_EQ(store_->list()->size(), 1U);
}

TEST_F(StoreTest, ABlobWhoseRecordIsCommittedDuringCollectStays) {
  const Digest digest = store_->write_blob("new image").value();
  auto lease = std::make_unique<Lease>(store_->lease());
  lease->add(digest);
  const auto roots = [&]() -> Result<Store::Roots> {
    Store::Roots before_the_record;
    lease.reset();  // "record committed", right after the roots were read
    return before_the_record;
  };
  EXPECT_EQ(store_->collect(roots)->blobs, 0U);
  EXPECT_TRUE(store_->has(digest).value());
}

TEST_F(StoreTest, CollectRemovesOldDownloadsButNotThoseUnderWay) {
  {
    ASSERT_TRUE(store_->ingest(codec::sha256("a"), 9)->write("partial"));
  }
  Ingest active = store_->ingest(codec::sha256("b"), 9).value();
  ASSERT_TRUE(active.write("partial"));
  const auto none = []() -> Result<Store::Roots> { return Store::Roots{}; };
  ASSERT_TRUE(store_->collect(none, std::chrono::hours{1}));
  EXPECT_EQ(files("ingest").size(), 2U);
  ASSERT_TRUE(store_->collect(none, std::chrono::seconds{-2}));
  EXPECT_EQ(files("ingest"), (std::vector<std::string>{"sha256-" + std::string{codec::sha256("b").hex()}}));
}

TEST_F(StoreTest, IndexComesBack) {
  IndexEntry entry;
  entry.media_type = "application/vnd.oci.image.manifest.v1+json";
  entry.digest = codec::sha256("manifest");
  entry.size = 8;
  entry.annotations.emplace(kRefNameAnnotation, "latest");
  entry.platform = codec::Json::object({{"os", "linux"}, {"architecture", "amd64"}});
  ASSERT_TRUE(store_->set_index({entry, entry}));
  reopen();
  const auto back = store_->index().value();
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].digest, entry.digest);
  EXPECT_EQ(back[0].annotations, entry.annotations);
  EXPECT_EQ(back[0].platform["os"].as_string(), "linux");
  EXPECT_EQ(sys::read_file(sys::kCwd, root_ + "/oci-layout").value(), R"({"imageLayoutVersion":"1.0.0"})");
}

TEST_F(StoreTest, SkopeoReadsTheLayout) {
  if (std::system("command -v skopeo >/dev/null") != 0) GTEST_SKIP() << "needs skopeo";
  const std::string tar(1024, '\0');
  const std::string layer = store_->write_blob(tar)->str();
  const std::string config =
      R"({"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[")" + layer +
      R"("]}})";
  const std::string config_digest = store_->write_blob(config)->str();
  const std::string manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
      R"("application/vnd.oci.image.config.v1+json","digest":")" +
      config_digest + R"(","size":)" + std::to_string(config.size()) +
      R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" + layer +
      R"(","size":1024}]})";
  IndexEntry entry;
  entry.media_type = "application/vnd.oci.image.manifest.v1+json";
  entry.digest = store_->write_blob(manifest).value();
  entry.size = manifest.size();
  entry.annotations.emplace(kRefNameAnnotation, "v1");
  entry.annotations.emplace(kImageNameAnnotation, "docker.io/library/test:v1");
  ASSERT_TRUE(store_->set_index({entry}));
  const std::string command = "skopeo inspect oci:" + root_ + ":v1 > " + dir_ + "/out 2>&1";
  const int status = std::system(command.c_str());
  const std::string out = sys::read_file(sys::kCwd, dir_ + "/out").value();
  EXPECT_EQ(status, 0) << out;
  EXPECT_NE(out.find(entry.digest.str()), std::string::npos) << out;
}

TEST_F(StoreTest, ARealFullDiskIsNamedAndLeavesNothing) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
  // In a child with its own mount namespace: the mount is gone with it.
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string small = dir_ + "/small";
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mkdir(small.c_str(), 0755) != 0 || ::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=256k") != 0) {
      ::_exit(77);
    }
    const auto store = Store::open(small + "/content").value();
    const std::string text(std::size_t{1} << 20U, 'x');
    Ingest ingest = store->ingest(codec::sha256(text), text.size()).value();
    const auto result = ingest.write(text);
    if (result || result.error().errno_value() != ENOSPC) ::_exit(1);
    if (result.error().message().find("No space left on device") == std::string::npos) ::_exit(2);
    if (!sys::list_dir(sys::kCwd, small + "/content/ingest")->empty()) ::_exit(3);
    ::_exit(store->write_blob("small").has_value() ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(status, 0);
}

#ifdef CAISSON_FAULTS
TEST_F(StoreTest, EveryStepThatFailsLeavesNothingVisible) {
  for (const char* point : {"content.write:ENOSPC", "content.sync:EIO", "content.rename:ENOSPC"}) {
    fault(point);
    const auto result = store_->write_blob("text");
    fault(nullptr);
    ASSERT_FALSE(result) << point;
    EXPECT_NE(result.error().errno_value(), 0) << point;
    EXPECT_FALSE(store_->has(codec::sha256("text")).value()) << point;
    if (result.error().errno_value() == ENOSPC) {
      EXPECT_TRUE(files("ingest").empty()) << point;
    }
  }
  EXPECT_TRUE(store_->write_blob("text"));
}

TEST_F(StoreTest, KilledAtAnyPointTheBlobIsWholeOrResumable) {
  const Digest digest = codec::sha256("text");
  for (const char* point : {"content.commit.verified", "content.commit.synced", "content.commit.renamed"}) {
    for (const bool named : {true, false}) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::setenv("CAISSON_CRASH_AT", point, 1);
        Ingest ingest = named ? store_->ingest(digest, 4).value() : store_->ingest_new().value();
        ignore(ingest.write("text"), "it dies");
        ignore(ingest.commit(), "it dies");
        ::_exit(0);
      }
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
      reopen();
      const bool stored = store_->has(digest).value();
      EXPECT_EQ(stored, std::string_view{point} == "content.commit.renamed") << point;
      if (stored) {
        EXPECT_EQ(store_->read(digest).value(), "text");
      }
      EXPECT_EQ(files("ingest").size(), !stored && named ? 1U : 0U) << point;
      Ingest next = store_->ingest(digest, 4).value();
      EXPECT_EQ(next.offset(), stored || !named ? 0U : 4U) << point;
      next.abort();
      ASSERT_TRUE(store_->remove(digest));
    }
  }
}
#endif

}  // namespace
}  // namespace content
