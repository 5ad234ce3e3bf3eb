#include "layer/diff.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "layer/apply.h"
#include "tree/names.h"
#include "layer/test_tree.h"
#include "sys/storage.h"

namespace layer {
namespace {

using base::ErrorKind;
using base::Result;
using testing::describe;
using testing::TarMaker;

std::vector<codec::TarEntry> entries_of(std::string_view tar) {
  base::StringSource source{tar};
  codec::TarReader reader{source};
  std::vector<codec::TarEntry> entries;
  codec::TarEntry entry;
  while (reader.next(entry).value()) entries.push_back(entry);
  return entries;
}

std::vector<std::string> names_of(std::string_view tar) {
  std::vector<std::string> names;
  for (const auto& entry : entries_of(tar)) names.push_back(entry.path);
  return names;
}

class TreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "owners, devices and trusted xattrs need root";
  }
  void put(int root, std::string_view tar) {
    base::StringSource source{tar};
    const auto applied = apply(source, root);
    ASSERT_TRUE(applied) << applied.error().message();
  }
  std::string tree_of(int root, const TreeOptions& options = {}) {
    base::StringSink sink;
    const auto written = write_tree(root, sink, options);
    EXPECT_TRUE(written) << written.error().message();
    EXPECT_EQ(written->tar_bytes, sink.text.size());
    return sink.text;
  }
  std::string changes_of(int root) {
    base::StringSink sink;
    const auto written = write_changes(root, sink);
    EXPECT_TRUE(written) << written.error().message();
    return sink.text;
  }

  testing::TemporaryDir dir_;
};

/// Of every kind, with whole seconds, which is what comes through an archive.
constexpr const char* kTree = R"sh(
mkdir -p src/bin src/dev src/etc src/empty && cd src && head -c 70000 /dev/urandom > bin/tool && ln bin/tool bin/same &&
ln bin/tool etc/third && chown 7:8 bin/tool && chmod 4755 bin/tool && ln -s ../bin etc/bin && mknod dev/zero c 1 5 &&
mknod dev/loop b 7 3 && mkfifo dev/pipe && touch "etc/$(printf 'e\314\201 \377')" && chmod 1700 empty &&
python3 -c "import os; os.setxattr('etc', 'user.a', b'1'); os.setxattr('bin/tool', 'user.b', b'2')" &&
find . -exec touch -h -d '2010-11-12 13:14:15' {} + && cd ..
)sh";

TEST_F(TreeTest, ATreeComesBackAsItWas) {
  ASSERT_EQ(dir_.shell(kTree), 0);
  const auto source = sys::open_dir(sys::kCwd, dir_.path() + "/src").value();
  const std::string tar = tree_of(source.get());
  const auto copy = dir_.make("copy");
  put(copy.get(), tar);
  EXPECT_EQ(describe(copy.get()), describe(source.get()));
  EXPECT_EQ(tree_of(copy.get()), tar) << "equal trees are equal archives";
}

TEST_F(TreeTest, TarReadsWhatWeWrite) {
  ASSERT_EQ(dir_.shell(kTree), 0);
  const auto source = sys::open_dir(sys::kCwd, dir_.path() + "/src").value();
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, dir_.path() + "/a.tar", tree_of(source.get())));
  ASSERT_EQ(dir_.shell("mkdir x && tar --xattrs --numeric-owner -xpf a.tar -C x"), 0);
  const auto copy = sys::open_dir(sys::kCwd, dir_.path() + "/x").value();
  EXPECT_EQ(describe(copy.get()), describe(source.get()));
}

TEST_F(TreeTest, ASubtreeUnderAnotherName) {
  const auto root = dir_.make("root");
  put(root.get(), TarMaker{}.dir("a").dir("a/b").file("a/b/f").file("a/g").symlink("link", "/a/b").done());
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_of(tree_of(root.get(), {.path = "a/b"})), (Names{"b/", "b/f"}));
  EXPECT_EQ(names_of(tree_of(root.get(), {.path = "/a/", .name = "new"})),
            (Names{"new/", "new/b/", "new/b/f", "new/g"}));
  EXPECT_EQ(names_of(tree_of(root.get(), {.path = "a/g", .name = "h"})), (Names{"h"}));
  EXPECT_EQ(names_of(tree_of(root.get(), {.path = "link/f"})), (Names{"f"})) << "through a link, inside";
  EXPECT_EQ(entries_of(tree_of(root.get(), {.path = "link"}))[0].type, codec::TarType::Symlink);
  EXPECT_EQ(names_of(tree_of(root.get(), {.path = "", .name = "all"})).front(), "all/");
  base::StringSink sink;
  EXPECT_TRUE(write_tree(root.get(), sink, {.path = "a/missing"}).failed_as(ErrorKind::NotFound));
}

TEST_F(TreeTest, WhiteoutsAndOpaqueDirectoriesBecomeOcis) {
  const auto upper = dir_.make("upper");
  const std::string layer = TarMaker{}
                                .dir("d")
                                .file("d/.wh.gone", "")
                                .file("d/x")
                                .dir("o")
                                .file("o/.wh..wh..opq", "")
                                .file("o/y")
                                .done();
  put(upper.get(), layer);
  const std::string tar = changes_of(upper.get());
  EXPECT_EQ(names_of(tar),
            (std::vector<std::string>{"d/", "d/.wh.gone", "d/x", "o/", "o/.wh..wh..opq", "o/y"}));
  const auto copy = dir_.make("copy");
  put(copy.get(), tar);
  ASSERT_TRUE(sys::set_times_at(copy.get(), "d/gone", {1'700'000'000, 0}));
  ASSERT_TRUE(sys::set_times_at(upper.get(), "d/gone", {1'700'000'000, 0}));
  ASSERT_TRUE(sys::set_times_at(copy.get(), "d", {1'700'000'000, 0}));
  EXPECT_EQ(describe(copy.get()), describe(upper.get()));
  for (const auto& entry : entries_of(tar)) EXPECT_TRUE(entry.xattrs.empty()) << "overlay's own stay here";
}

TEST_F(TreeTest, MarksOfRenamesAreNotSilentlyLost) {
  const auto upper = dir_.make("upper");
  ASSERT_TRUE(sys::make_dir(upper.get(), "moved", 0755));
  const auto moved = sys::open_dir(upper.get(), "moved").value();
  ASSERT_TRUE(sys::set_xattr(moved.get(), "trusted.overlay.redirect", "/old"));
  base::StringSink sink;
  const auto result = write_changes(upper.get(), sink);
  ASSERT_TRUE(result.failed_as(ErrorKind::NotImplemented));
  EXPECT_NE(result.error().message().find("\"moved\""), std::string::npos) << result.error().message();
}

TEST_F(TreeTest, SocketsAreLeftOut) {
  const auto root = dir_.make("root");
  const sys::UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  struct ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (dir_.path() + "/root/s").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<struct ::sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(names_of(tree_of(root.get())).empty());
}

/// Does something to the tree while it is being written.
template <class F>
class MeddlingSink final : public base::ByteSink {
 public:
  MeddlingSink(std::size_t after, F meddle) : after_{after}, meddle_{std::move(meddle)} {}
  Result<> write(std::string_view bytes) override {
    text += bytes;
    if (text.size() >= after_ && !std::exchange(done_, true)) meddle_();
    return {};
  }
  std::string text;

 private:
  std::size_t after_;
  F meddle_;
  bool done_ = false;
};

TEST_F(TreeTest, AFileThatShrinksIsPadded) {
  const auto root = dir_.make("root");
  ASSERT_TRUE(sys::write_file_atomic(root.get(), "a", std::string(1'000'000, 'a')));
  ASSERT_TRUE(sys::write_file_atomic(root.get(), "b", "b"));
  MeddlingSink sink{200'000, [&] {
                      const auto file = sys::open_at(root.get(), "a", O_WRONLY).value();
                      EXPECT_TRUE(sys::truncate_file(file.get(), 300'000));
                    }};
  ASSERT_TRUE(write_tree(root.get(), sink));
  EXPECT_EQ(names_of(sink.text), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(entries_of(sink.text)[0].size, 1'000'000U);
}

TEST_F(TreeTest, WhatVanishesIsLeftOut) {
  const auto root = dir_.make("root");
  ASSERT_TRUE(sys::write_file_atomic(root.get(), "a", "a"));
  ASSERT_TRUE(sys::make_dirs(root.get(), "b/c", 0755));
  ASSERT_TRUE(sys::write_file_atomic(root.get(), "d", "d"));
  MeddlingSink sink{1, [&] { EXPECT_TRUE(sys::remove_tree(root.get(), "b")); }};
  ASSERT_TRUE(write_tree(root.get(), sink));
  EXPECT_EQ(names_of(sink.text), (std::vector<std::string>{"a", "d"}));
}

TEST_F(TreeTest, ErrorsOfTheSinkEndIt) {
  class Full final : public base::ByteSink {
   public:
    Result<> write(std::string_view /*bytes*/) override { return base::Error::from_errno(ENOSPC, "write"); }
  } full;
  const auto root = dir_.make("root");
  ASSERT_TRUE(sys::write_file_atomic(root.get(), "a", "a"));
  const auto result = write_tree(root.get(), full);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().errno_value(), ENOSPC);
}

// With snapshots ------------------------------------------------------------------------------------

using Open = Result<std::unique_ptr<snapshot::Snapshotter>> (*)(const std::string&, state::Database&);

class DiffTest : public ::testing::TestWithParam<std::pair<const char*, Open>> {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "owners, devices and trusted xattrs need root";
    database_ = state::Database::open(dir_.path() + "/db").value();
    snapshotter_ = GetParam().second(dir_.path() + "/snapshots", *database_).value();
    add_layer("base", "",
              TarMaker{}
                  .dir("etc")
                  .file("etc/kept", "1")
                  .file("etc/changed", "1")
                  .file("etc/removed", "1")
                  .file("etc/chmodded", "1")
                  .dir("gone")
                  .file("gone/inner", "1")
                  .dir("remade")
                  .file("remade/old", "1")
                  .dir("deep")
                  .dir("deep/er")
                  .file("deep/er/f", "1")
                  .file("kind", "1")
                  .symlink("link", "etc/kept")
                  .done());
    ASSERT_TRUE(snapshotter_->prepare("c", "base"));
  }
  void TearDown() override {
    snapshotter_.reset();
    database_.reset();
  }

  void add_layer(const std::string& id, const std::string& parent, std::string_view tar) {
    auto staging = snapshotter_->stage().value();
    base::StringSource source{tar};
    const auto applied = apply(source, staging.dir());
    ASSERT_TRUE(applied) << applied.error().message();
    std::vector<snapshot::NewLayer> layers;
    layers.push_back({std::move(staging), id, parent, applied->describes_root});
    ASSERT_TRUE(snapshotter_->commit(std::move(layers)));
  }
  sys::UniqueFd open(const std::string& key) {
    return snapshot::open_tree(snapshotter_->mounts(key).value()).value();
  }
  void change_the_container() {
    const auto root = open("c");
    const int dir = root.get();
    ASSERT_TRUE(sys::write_file(dir, "etc/changed", "22"));
    ASSERT_TRUE(sys::unlink_at(dir, "etc/removed"));
    ASSERT_TRUE(sys::set_mode_at(dir, "etc/chmodded", 0600));
    ASSERT_TRUE(sys::remove_tree(dir, "gone"));
    ASSERT_TRUE(sys::remove_tree(dir, "remade"));
    ASSERT_TRUE(sys::make_dirs(dir, "remade/new", 0755));
    ASSERT_TRUE(sys::write_file_atomic(dir, "deep/er/added", "2"));
    ASSERT_TRUE(sys::unlink_at(dir, "kind"));
    ASSERT_TRUE(sys::make_dirs(dir, "kind/now/a/dir", 0755));
    ASSERT_TRUE(sys::unlink_at(dir, "link"));
    ASSERT_TRUE(sys::symlink_at("etc/changed", dir, "link"));
    ASSERT_TRUE(sys::hard_link(dir, "etc/changed", dir, "deep/second"));
  }
  std::string diff() {
    base::StringSink sink;
    const auto written = write_diff(*snapshotter_, "c", sink);
    EXPECT_TRUE(written) << written.error().message();
    return sink.text;
  }
  /// As describe, with whole seconds, as archives have them.
  static std::map<std::string, std::string> coarse(int root) {
    auto out = describe(root);
    for (auto& [path, text] : out) {
      const auto dot = text.find('.');
      text.erase(dot, 10);
    }
    return out;
  }
  std::vector<std::string> change_list() {
    std::vector<std::string> out;
    const auto changes = list_changes(*snapshotter_, "c").value();
    for (const auto& change : changes)
      out.push_back(std::string{"CAD"[static_cast<int>(change.kind)]} + " " + change.path);
    return out;
  }

  testing::TemporaryDir dir_;
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<snapshot::Snapshotter> snapshotter_;
};

INSTANTIATE_TEST_SUITE_P(Snapshotters, DiffTest,
                         ::testing::Values(std::pair{"overlay", &snapshot::open_overlay},
                                           std::pair{"native", &snapshot::open_native}),
                         [](const auto& tested) { return tested.param.first; });

TEST_P(DiffTest, ALayerMadeOfTheChangesGivesTheSameTree) {
  change_the_container();
  add_layer("changed", "base", diff());
  EXPECT_EQ(coarse(open("changed").get()), coarse(open("c").get()));
  EXPECT_EQ(diff(), diff()) << "deterministic";
}

TEST_P(DiffTest, ADiffHoldsOnlyChanges) {
  EXPECT_TRUE(names_of(diff()).empty());
  change_the_container();
  const auto names = names_of(diff());
  EXPECT_THAT(names, ::testing::Not(::testing::Contains("etc/kept")));
  EXPECT_THAT(names, ::testing::Contains("etc/.wh.removed"));
  EXPECT_THAT(names, ::testing::Contains(".wh.gone"));
  EXPECT_THAT(names, ::testing::Contains("etc/chmodded"));
}

TEST_P(DiffTest, ChangesAreListedAsDockerDoes) {
  EXPECT_TRUE(change_list().empty());
  change_the_container();
  EXPECT_EQ(change_list(),
            (std::vector<std::string>{"C /deep", "C /deep/er", "A /deep/er/added", "A /deep/second", "C /etc",
                                      "C /etc/changed", "C /etc/chmodded", "D /etc/removed", "D /gone",
                                      "C /kind", "A /kind/now", "A /kind/now/a", "A /kind/now/a/dir",
                                      "C /link", "C /remade", "A /remade/new", "D /remade/old"}));
}

TEST_P(DiffTest, WithoutAParentEverythingIsNew) {
  ASSERT_TRUE(snapshotter_->prepare("alone", ""));
  {
    const auto root = open("alone");
    ASSERT_TRUE(sys::make_dirs(root.get(), "a/b", 0755));
  }
  base::StringSink sink;
  ASSERT_TRUE(write_diff(*snapshotter_, "alone", sink));
  EXPECT_EQ(names_of(sink.text), (std::vector<std::string>{"a/", "a/b/"}));
  EXPECT_EQ(list_changes(*snapshotter_, "alone")->size(), 2U);
  EXPECT_TRUE(write_diff(*snapshotter_, "missing", sink).failed_as(ErrorKind::NotFound));
}

/// An OCI layout by hand: umoci unpacks the base layer and our diff on top.
TEST_P(DiffTest, UmociMakesTheSameTreeOfOurLayers) {
  if (std::system("command -v umoci >/dev/null") != 0) GTEST_SKIP() << "needs umoci";
  change_the_container();
  const auto layout = dir_.make("layout");
  ASSERT_TRUE(sys::make_dirs(layout.get(), "blobs/sha256", 0755));
  const auto blob = [&](std::string_view media_type, const std::string& bytes) {
    const auto digest = codec::sha256(bytes);
    EXPECT_TRUE(sys::write_file_atomic(layout.get(), "blobs/sha256/" + std::string{digest.hex()}, bytes));
    return fmt::format(R"({{"mediaType":"application/vnd.oci.image.{}","digest":"{}","size":{}}})",
                       media_type, digest.str(), bytes.size());
  };
  base::StringSink base_tar;
  ASSERT_TRUE(write_tree(open("base").get(), base_tar));
  const std::string top_tar = diff();
  const std::string config = fmt::format(
      R"({{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}","{}"]}}}})",
      codec::sha256(base_tar.text).str(), codec::sha256(top_tar).str());
  const std::string manifest =
      fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[{},{}]}})", blob("config.v1+json", config),
                  blob("layer.v1.tar", base_tar.text), blob("layer.v1.tar", top_tar));
  std::string entry = blob("manifest.v1+json", manifest);
  entry.insert(entry.size() - 1, R"(,"annotations":{"org.opencontainers.image.ref.name":"t"})");
  ASSERT_TRUE(sys::write_file_atomic(layout.get(), "oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  ASSERT_TRUE(sys::write_file_atomic(layout.get(), "index.json",
                                     fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", entry)));
  ASSERT_EQ(dir_.shell("umoci unpack --image layout:t bundle > umoci.log 2>&1"), 0)
      << sys::read_file(sys::kCwd, dir_.path() + "/umoci.log").value();
  const auto want = sys::open_dir(sys::kCwd, dir_.path() + "/bundle/rootfs").value();
  EXPECT_EQ(coarse(open("c").get()), coarse(want.get()));
}

}  // namespace
}  // namespace layer
