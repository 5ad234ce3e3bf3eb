#include "layer/apply.h"

#include <cerrno>
#include <random>

#include "codec/compression.h"
#include "tree/names.h"
#include "tree/placer.h"
#include "layer/test_tree.h"
#include "sys/storage.h"

namespace layer {
namespace {

using base::ErrorKind;
using base::Result;
using codec::TarType;
using testing::describe;
using testing::tar_entry;
using testing::TarMaker;

class ApplyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "owners, devices and trusted xattrs need root";
    root_ = dir_.make("root");
  }

  Result<Applied> put(std::string_view archive, const Limits& limits = {}) {
    base::StringSource source{archive};
    return apply(source, root_.get(), limits);
  }
  Result<Applied> put(TarMaker& maker) { return put(maker.done()); }
  std::string read(const std::string& path) {
    return sys::read_file(root_.get(), path).value_or("(not there)");
  }
  struct ::stat stat(const std::string& path) { return sys::stat_at(root_.get(), path).value(); }
  bool is_there(const std::string& path) { return sys::exists(root_.get(), path).value(); }
  bool is_whiteout(const std::string& path) { return tree::is_whiteout(stat(path)); }
  bool is_opaque(const std::string& path) {
    return sys::xattr_at(root_.get(), path, tree::kOverlayOpaque).value() == "y";
  }
  /// Nothing of an archive may ever be seen outside of the root.
  std::vector<std::string> outside() {
    std::vector<std::string> names;
    const auto entries = sys::list_dir(sys::kCwd, dir_.path()).value();
    for (const auto& entry : entries) {
      if (entry.name != "root") names.push_back(entry.name);
    }
    return names;
  }

  testing::TemporaryDir dir_;
  sys::UniqueFd root_;
};

// What must come out -------------------------------------------------------------------------------

TEST_F(ApplyTest, EveryTypeWithItsMetadata) {
  auto setuid = tar_entry("bin/su", TarType::File);
  setuid.mode = 04755;
  setuid.uid = 10;
  setuid.gid = 20;
  setuid.mtime.tv_nsec = 123'456'789;
  auto null = tar_entry("dev/null", TarType::CharDevice);
  null.mode = 0666;
  null.device_major = 1;
  null.device_minor = 3;
  auto fifo = tar_entry("run/pipe", TarType::Fifo);
  fifo.mode = 0620;
  auto sticky = tar_entry("tmp/");
  sticky.mode = 01777;
  const auto applied = put(TarMaker{}
                               .dir("bin/")
                               .add(setuid, "#!")
                               .dir("dev")
                               .add(null)
                               .dir("run")
                               .add(fifo)
                               .add(sticky)
                               .file("tmp/inside", "x")
                               .symlink("bin/sh", "/bin/su")
                               .hard_link("bin/su2", "bin/su"));
  ASSERT_TRUE(applied) << applied.error().message();
  EXPECT_EQ(applied->entries, 10U);
  EXPECT_EQ(applied->content_bytes, 3U);
  EXPECT_FALSE(applied->describes_root);
  EXPECT_EQ(stat("bin/su").st_mode, S_IFREG | 04755U);
  EXPECT_EQ(stat("bin/su").st_uid, 10U);
  EXPECT_EQ(stat("bin/su").st_gid, 20U);
  EXPECT_EQ(stat("bin/su").st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(stat("bin/su").st_ino, stat("bin/su2").st_ino);
  EXPECT_EQ(stat("dev/null").st_mode, S_IFCHR | 0666U);
  EXPECT_EQ(stat("dev/null").st_rdev, ::makedev(1, 3));
  EXPECT_EQ(stat("run/pipe").st_mode, S_IFIFO | 0620U);
  EXPECT_EQ(stat("tmp").st_mode, S_IFDIR | 01777U);
  EXPECT_EQ(stat("tmp").st_mtim.tv_sec, 1'700'000'000) << "children must not change it";
  EXPECT_EQ(sys::read_link(root_.get(), "bin/sh").value(), "/bin/su");
  EXPECT_EQ(stat("bin/sh").st_mtim.tv_sec, 1'700'000'000);
}

TEST_F(ApplyTest, XattrsThatBelongToFiles) {
  using namespace std::string_literals;
  auto capable = tar_entry("ping", TarType::File);
  const std::string capability = "\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s;
  capable.xattrs = {{"security.capability", capability}, {"user.note", "n"}, {"security.selinux", "label"}};
  capable.uid = 5;
  ASSERT_TRUE(put(TarMaker{}.add(capable, "binary")));
  EXPECT_EQ(sys::xattr_at(root_.get(), "ping", "security.capability").value(), capability);
  EXPECT_EQ(sys::xattr_at(root_.get(), "ping", "user.note").value(), "n");
  EXPECT_EQ(sys::xattr_at(root_.get(), "ping", "security.selinux").value(), std::nullopt)
      << "the host's label";
}

TEST_F(ApplyTest, DigestSizesAndCompression) {
  TarMaker maker;
  maker.file("a", std::string(100'000, 'a'));
  const std::string tar = maker.done() + std::string(4096, '\0');
  for (const auto compression :
       {codec::Compression::None, codec::Compression::Gzip, codec::Compression::Zstd}) {
    base::StringSink sink;
    const auto compressor = codec::compress(sink, compression);
    ASSERT_TRUE(compressor->write(tar));
    ASSERT_TRUE(compressor->finish());
    const auto applied = put(sink.text);
    ASSERT_TRUE(applied) << applied.error().message();
    EXPECT_EQ(applied->diff_id, codec::sha256(tar)) << "the padding counts";
    EXPECT_EQ(applied->tar_bytes, tar.size());
    EXPECT_EQ(applied->blob_bytes, sink.text.size());
  }
}

TEST_F(ApplyTest, AnEmptyArchiveIsALayer) {
  TarMaker nothing;
  const auto applied = put(nothing);
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->entries, 0U);
  EXPECT_EQ(applied->diff_id, codec::sha256(std::string(1024, '\0')));
}

TEST_F(ApplyTest, TheRootItself) {
  auto top = tar_entry("./");
  top.mode = 0711;
  top.uid = 3;
  const auto applied = put(TarMaker{}.add(top).file("./x"));
  ASSERT_TRUE(applied);
  EXPECT_TRUE(applied->describes_root);
  EXPECT_EQ(stat(".").st_mode, S_IFDIR | 0711U);
  EXPECT_EQ(stat(".").st_uid, 3U);
  EXPECT_EQ(stat(".").st_mtim.tv_sec, 1'700'000'000);
  EXPECT_FALSE(put(TarMaker{}.symlink(".", "/tmp")));
}

TEST_F(ApplyTest, MissingParentsAreMade) {
  ASSERT_TRUE(put(TarMaker{}.file("a/b/c/d")));
  EXPECT_EQ(stat("a/b").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(read("a/b/c/d"), "text");
}

TEST_F(ApplyTest, LaterEntriesReplaceEarlierOnes) {
  ASSERT_TRUE(put(TarMaker{}
                      .file("f", "old")
                      .hard_link("g", "f")
                      .file("f", "new")
                      .dir("d")
                      .file("d/child")
                      .file("d", "now a file")
                      .file("e")
                      .dir("e")
                      .symlink("s", "f")
                      .file("s", "not through it")));
  EXPECT_EQ(read("f"), "new");
  EXPECT_EQ(read("g"), "old");
  EXPECT_EQ(read("d"), "now a file");
  EXPECT_TRUE(S_ISDIR(stat("e").st_mode));
  EXPECT_EQ(read("s"), "not through it");
}

TEST_F(ApplyTest, ADirectoryTwiceKeepsItsChildrenAndTakesTheLastMode) {
  auto again = tar_entry("d");
  again.mode = 0700;
  ASSERT_TRUE(put(TarMaker{}.dir("d").file("d/x").add(again)));
  EXPECT_EQ(stat("d").st_mode, S_IFDIR | 0700U);
  EXPECT_EQ(read("d/x"), "text");
}

TEST_F(ApplyTest, SymlinksInsideLeadInside) {
  ASSERT_TRUE(put(TarMaker{}
                      .dir("usr/lib")
                      .symlink("lib", "usr/lib")
                      .symlink("abs", "/usr/lib")
                      .file("lib/a")
                      .file("abs/b")));
  EXPECT_EQ(read("usr/lib/a"), "text");
  EXPECT_EQ(read("usr/lib/b"), "text");
}

TEST_F(ApplyTest, ManyFoldersInAnyOrder) {
  TarMaker maker;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 60; ++i)
      maker.file(fmt::format("d{}/sub/f{}", i, round), fmt::format("{} {}", i, round));
  }
  ASSERT_TRUE(put(maker));
  EXPECT_EQ(read("d37/sub/f2"), "37 2");
  EXPECT_EQ(read("d0/sub/f0"), "0 0");
}

// Whiteouts -----------------------------------------------------------------------------------------

TEST_F(ApplyTest, WhiteoutsBecomeOverlays) {
  ASSERT_TRUE(put(TarMaker{}
                      .dir("etc")
                      .file("etc/.wh.gone", "")
                      .file("x/.wh.y", "")
                      .dir("var")
                      .file("var/.wh..wh..opq", "")));
  EXPECT_TRUE(is_whiteout("etc/gone"));
  EXPECT_TRUE(is_whiteout("x/y"));
  EXPECT_TRUE(is_opaque("var"));
  EXPECT_FALSE(is_there("etc/.wh.gone"));
  EXPECT_FALSE(is_there("var/.wh..wh..opq"));
  EXPECT_FALSE(is_opaque("etc"));
}

TEST_F(ApplyTest, WhiteoutAndNewObjectOfTheSameLayer) {
  // Both orders; a directory hides the lower one's files, a file needs nothing more.
  ASSERT_TRUE(put(TarMaker{}
                      .file(".wh.file1", "")
                      .file("file1", "1")
                      .file("file2", "2")
                      .file(".wh.file2", "")
                      .file(".wh.dir1", "")
                      .dir("dir1")
                      .dir("dir2")
                      .file("dir2/x")
                      .file(".wh.dir2", "")
                      .file(".wh.dir3", "")
                      .file("dir3/implied/x")));
  EXPECT_EQ(read("file1"), "1");
  EXPECT_EQ(read("file2"), "2");
  for (const char* dir : {"dir1", "dir2", "dir3"}) {
    EXPECT_TRUE(S_ISDIR(stat(dir).st_mode)) << dir;
    EXPECT_TRUE(is_opaque(dir)) << dir;
  }
  EXPECT_EQ(read("dir2/x"), "text");
  EXPECT_EQ(read("dir3/implied/x"), "text");
}

TEST_F(ApplyTest, AufsLeftoversAreSkippedAndSenselessWhiteoutsRefused) {
  ASSERT_TRUE(put(TarMaker{}.dir(".wh..wh.plnk").file(".wh..wh.plnk/1.2").file(".wh..wh.aufs", "")));
  EXPECT_TRUE(describe(root_.get()).empty());
  EXPECT_FALSE(put(TarMaker{}.file(".wh.", "")));
  EXPECT_FALSE(put(TarMaker{}.file("d/.wh..", "")));
  EXPECT_FALSE(put(TarMaker{}.file("d/.wh...", "")));
  EXPECT_TRUE(put(TarMaker{}.file("d/.wh....", ""))) << "a file named ...";
}

// What must not get out ---------------------------------------------------------------------------------

TEST_F(ApplyTest, NamesThatClimbOutAreRefused) {
  for (const char* name : {"../evil", "a/../../evil", "./../evil", "a/b/../../../evil"}) {
    const auto result = put(TarMaker{}.file(name));
    ASSERT_TRUE(result.failed_as(ErrorKind::InvalidArgument)) << name;
    EXPECT_NE(result.error().message().find(name), std::string::npos) << result.error().message();
    EXPECT_FALSE(put(TarMaker{}.dir(name))) << name;
    EXPECT_FALSE(put(TarMaker{}.symlink(name, "x"))) << name;
    EXPECT_FALSE(put(TarMaker{}.file("f").hard_link(name, "f"))) << name;
  }
  EXPECT_TRUE(outside().empty());
}

TEST_F(ApplyTest, AbsoluteNamesStayInside) {
  ASSERT_TRUE(put(TarMaker{}.file("/etc/absolute").file("/../../etc/up").file("a/../b")));
  EXPECT_EQ(read("etc/absolute"), "text");
  EXPECT_EQ(read("etc/up"), "text");
  EXPECT_EQ(read("b"), "text");
  EXPECT_FALSE(is_there("a"));
}

TEST_F(ApplyTest, SymlinksOutwardsLeadInside) {
  const auto victim = dir_.make("victim");
  ASSERT_TRUE(put(TarMaker{}
                      .symlink("up", "../../../../../../../../.." + dir_.path() + "/victim")
                      .symlink("abs", dir_.path() + "/victim")
                      .dir(dir_.path() + "/victim")
                      .file("up/one")
                      .file("abs/two")
                      .dir("up/deep")
                      .file("up/deep/three")));
  EXPECT_TRUE(sys::list_dir(victim.get())->empty());
  EXPECT_EQ(read(dir_.path().substr(1) + "/victim/one"), "text");
}

TEST_F(ApplyTest, ASwappedParentIsNotFollowedOut) {
  // The folder is used (and cached), then becomes a symlink outwards, then is used again.
  const auto victim = dir_.make("victim");
  const auto result = put(
      TarMaker{}.dir("d").file("d/one").symlink("d", "../victim").file("d/two").file("d/../../victim/three"));
  EXPECT_TRUE(sys::list_dir(victim.get())->empty());
  EXPECT_FALSE(result);
  EXPECT_EQ(outside(), std::vector<std::string>{"victim"});
}

TEST_F(ApplyTest, AFileIsNotWrittenThroughASymlink) {
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, dir_.path() + "/victim", "unharmed"));
  ASSERT_TRUE(put(TarMaker{}.symlink("f", dir_.path() + "/victim").file("f", "harmful")));
  EXPECT_EQ(sys::read_file(sys::kCwd, dir_.path() + "/victim").value(), "unharmed");
  EXPECT_EQ(read("f"), "harmful");
}

TEST_F(ApplyTest, HardLinksStayInside) {
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, dir_.path() + "/victim", "secret"));
  EXPECT_TRUE(put(TarMaker{}.hard_link("l", "../victim")).failed_as(ErrorKind::InvalidArgument));
  EXPECT_FALSE(put(TarMaker{}.hard_link("l", dir_.path() + "/victim")));
  EXPECT_FALSE(put(TarMaker{}.symlink("up", "..").hard_link("l", "up/victim")));
  EXPECT_FALSE(put(TarMaker{}.hard_link("l", "missing")));
  EXPECT_FALSE(put(TarMaker{}.dir("d").hard_link("l", "d")));
  EXPECT_FALSE(put(TarMaker{}.hard_link("l", "./")));
  EXPECT_FALSE(put(TarMaker{}.file("f").hard_link("f", "f")));
  // A link to a symlink is one to the link itself, never to what it points at.
  ASSERT_TRUE(put(TarMaker{}.symlink("s", dir_.path() + "/victim").hard_link("l2", "s")));
  EXPECT_TRUE(S_ISLNK(stat("l2").st_mode));
  EXPECT_EQ(sys::stat_at(sys::kCwd, dir_.path() + "/victim")->st_nlink, 1U);
}

TEST_F(ApplyTest, XattrsOfOverlayAreRefused) {
  for (const char* name :
       {"trusted.overlay.opaque", "trusted.overlay.redirect", "trusted.x", "user.overlay.opaque"}) {
    auto entry = tar_entry("d");
    entry.xattrs = {{name, "y"}};
    const auto result = put(TarMaker{}.add(entry));
    ASSERT_TRUE(result.failed_as(ErrorKind::InvalidArgument)) << name;
    EXPECT_NE(result.error().message().find(name), std::string::npos);
  }
}

TEST_F(ApplyTest, NamesThatNoFileSystemTakes) {
  EXPECT_TRUE(put(TarMaker{}.file(std::string(256, 'n'))).failed_as(ErrorKind::InvalidArgument));
  std::string deep;
  while (deep.size() < 5000) deep += "directory/";
  EXPECT_TRUE(put(TarMaker{}.file(deep + "x")).failed_as(ErrorKind::InvalidArgument));
  EXPECT_TRUE(put(TarMaker{}.symlink("l", std::string(5000, 't'))).failed_as(ErrorKind::InvalidArgument));
  Limits shorter;
  shorter.path_bytes = 10;
  EXPECT_FALSE(put(TarMaker{}.file("longer/than/ten").done(), shorter));
}

TEST_F(ApplyTest, AFileInTheWayOfAFolderIsAnError) {
  const auto result = put(TarMaker{}.file("a").file("a/b"));
  ASSERT_TRUE(result.failed_as(ErrorKind::InvalidArgument));
  EXPECT_NE(result.error().message().find("\"a\" is no directory"), std::string::npos)
      << result.error().message();
}

// Limits and failures -------------------------------------------------------------------------------

TEST_F(ApplyTest, LimitsStopBombs) {
  Limits limits;
  limits.tar_bytes = 100'000;
  EXPECT_TRUE(put(TarMaker{}.file("big", std::string(200'000, 'x')).done(), limits)
                  .failed_as(ErrorKind::InvalidArgument));
  limits = {};
  limits.entries = 3;
  EXPECT_FALSE(put(TarMaker{}.file("1").file("2").file("3").file("4").done(), limits));
  EXPECT_TRUE(put(TarMaker{}.file("1").file("2").file("3").done(), limits));
}

TEST_F(ApplyTest, AnExpansionPastReasonIsStopped) {
  // 3 GiB of zeros behind the archive's end: hardly anything compressed, nothing on the disk.
  const std::string tar = TarMaker{}.file("f").done();
  base::StringSink sink;
  const auto compressor = codec::compress(sink, codec::Compression::Zstd);
  ASSERT_TRUE(compressor->write(tar));
  const std::string zeros(std::size_t{16} << 20U, '\0');
  for (int i = 0; i < 3 * 64; ++i) ASSERT_TRUE(compressor->write(zeros));
  ASSERT_TRUE(compressor->finish());
  const auto result = put(sink.text);
  ASSERT_TRUE(result.failed_as(ErrorKind::InvalidArgument));
  EXPECT_NE(result.error().message().find("times its size"), std::string::npos) << result.error().message();
}

TEST_F(ApplyTest, ASparseFileStaysSparse) {
  ASSERT_EQ(
      dir_.shell(
          "truncate -s 1G sparse && printf end >> sparse && printf x | dd of=sparse bs=1 seek=500000000 "
          "conv=notrunc status=none && tar -S -cf sparse.tar sparse"),
      0);
  const std::string tar = sys::read_file(sys::kCwd, dir_.path() + "/sparse.tar").value();
  ASSERT_LT(tar.size(), 100'000U);
  ASSERT_TRUE(put(tar));
  EXPECT_EQ(stat("sparse").st_size, (std::int64_t{1} << 30) + 3);
  EXPECT_LT(stat("sparse").st_blocks, 100);
  const auto file = sys::open_at(root_.get(), "sparse", O_RDONLY).value();
  std::array<char, 3> end{};
  EXPECT_EQ(sys::read_at(file.get(), end, std::uint64_t{1} << 30U).value(), 3U);
  EXPECT_EQ((std::string_view{end.data(), 3}), "end");
  EXPECT_EQ(sys::read_at(file.get(), end, 499'999'999).value(), 3U);
  EXPECT_EQ(end[1], 'x');
}

TEST_F(ApplyTest, GarbageAndTruncation) {
  EXPECT_TRUE(put("<html>404 Not Found</html>").failed_as(ErrorKind::InvalidArgument));
  const std::string tar = TarMaker{}.file("a", std::string(5000, 'a')).done();
  EXPECT_FALSE(put(tar.substr(0, 3000)));
  class Broken final : public base::ByteSource {
   public:
    Result<std::size_t> read(std::span<char> /*buffer*/) override {
      return base::unavailable("reset by peer");
    }
  } broken;
  EXPECT_TRUE(apply(broken, root_.get()).failed_as(ErrorKind::Unavailable));
}

#ifdef CAISSON_FAULTS
TEST_F(ApplyTest, AFullDiskNamesTheEntry) {
  ::setenv("CAISSON_FAULT", "layer.write:ENOSPC", 1);
  const auto result = put(TarMaker{}.file("usr/big"));
  ::unsetenv("CAISSON_FAULT");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().errno_value(), ENOSPC);
  EXPECT_NE(result.error().message().find("\"usr/big\""), std::string::npos) << result.error().message();
}
#endif

// Against the tools of the field ------------------------------------------------------------------------

/// A tree with everything that tar can hold, made by a shell.
constexpr const char* kRealTree = R"sh(
mkdir -p src/usr/bin src/usr/lib src/etc src/dev src/tmp 'src/odd names' && cd src &&
head -c 300000 /dev/urandom > usr/bin/tool && chown 7:8 usr/bin/tool && chmod 4755 usr/bin/tool &&
ln usr/bin/tool usr/bin/tool-too && ln -s usr/lib lib && ln -s /usr/bin/tool etc/link && chown -h 3:4 etc/link &&
touch 'odd names/a b' "odd names/$(printf 'n\303\251e')" "odd names/$(printf 'e\314\201')" &&
touch "odd names/$(printf 'bad\377')" && mkfifo tmp/pipe && mknod dev/zero c 1 5 && mknod dev/loop b 7 0 &&
chmod 1777 tmp && d=deep/$(printf '%0200d' 1)/$(printf '%0200d' 2) && mkdir -p $d && echo x > $d/f &&
for i in $(seq 1 300); do echo $i > usr/lib/f$i; done &&
python3 -c "import os; os.setxattr('etc', 'user.a', b'1'); os.setxattr('usr/bin/tool', 'user.b', b'22')" &&
touch -d '2001-02-03 04:05:06.789' usr/lib/f7 usr/bin etc && touch -h -d '1999-12-31' lib && cd ..
)sh";

TEST_F(ApplyTest, AgreesWithTarOnWhatGnuTarMakes) {
  ASSERT_EQ(dir_.shell(kRealTree), 0);
  for (const char* format : {"--format=gnu", "--format=pax --xattrs", "--format=posix -S --xattrs"}) {
    SCOPED_TRACE(format);
    ASSERT_EQ(dir_.shell(
                  fmt::format("tar {} --numeric-owner -cf a.tar -C src . && gzip -kf a.tar && rm -rf want && "
                              "mkdir want && tar --xattrs --numeric-owner -xpf a.tar -C want",
                              format)),
              0);
    ASSERT_TRUE(sys::remove_tree(sys::kCwd, dir_.path() + "/got"));
    const auto got = dir_.make("got");
    sys::FdSource blob{sys::open_at(sys::kCwd, dir_.path() + "/a.tar.gz", O_RDONLY).value()};
    const auto applied = apply(blob, got.get());
    ASSERT_TRUE(applied) << applied.error().message();
    const auto tar = sys::open_at(sys::kCwd, dir_.path() + "/a.tar", O_RDONLY).value();
    EXPECT_EQ(applied->diff_id, codec::sha256_of_file(tar.get()).value());
    const auto want = sys::open_dir(sys::kCwd, dir_.path() + "/want").value();
    EXPECT_EQ(describe(got.get()), describe(want.get()));
    EXPECT_GT(describe(got.get()).size(), 320U);
  }
}

TEST_F(ApplyTest, AgreesWithBsdtarAndPython) {
  ASSERT_EQ(dir_.shell(kRealTree), 0);
  ASSERT_EQ(dir_.shell("rm -f src/odd*/bad*"), 0) << "python's tarfile writes those its own way";
  ASSERT_EQ(
      dir_.shell("python3 -c \"import tarfile; t=tarfile.open('a.tar','w',format=tarfile.PAX_FORMAT); "
                 "t.add('src','.'); t.close()\" && mkdir want && tar --numeric-owner -xpf a.tar -C want"),
      0);
  sys::FdSource blob{sys::open_at(sys::kCwd, dir_.path() + "/a.tar", O_RDONLY).value()};
  const auto applied = apply(blob, root_.get());
  ASSERT_TRUE(applied) << applied.error().message();
  const auto want = sys::open_dir(sys::kCwd, dir_.path() + "/want").value();
  EXPECT_EQ(describe(root_.get()), describe(want.get()));
}

// extract ---------------------------------------------------------------------------------------------

TEST_F(ApplyTest, ExtractTakesWhiteoutNamesAsNames) {
  const std::string tar = TarMaker{}.file(".wh.x").file("d/.wh..wh..opq").done();
  base::StringSource source{tar};
  ASSERT_TRUE(extract(source, root_.get()));
  EXPECT_EQ(read(".wh.x"), "text");
  EXPECT_EQ(read("d/.wh..wh..opq"), "text");
}

TEST_F(ApplyTest, ExtractKeepsKindsAndSetsOwners) {
  ASSERT_TRUE(put(TarMaker{}.dir("d").file("f")));
  ExtractOptions options;
  options.place.keep_kinds = true;
  options.place.owner = tree::PlaceOptions::Owner::Given;
  options.place.uid = 41;
  options.place.gid = 42;
  const auto run = [&](TarMaker& maker) {
    const std::string tar = maker.done();
    base::StringSource source{tar};
    return extract(source, root_.get(), options);
  };
  const auto over_dir = run(TarMaker{}.file("d"));
  ASSERT_FALSE(over_dir);
  EXPECT_NE(over_dir.error().message().find(R"(cannot overwrite directory "/d" with non-directory "/")"),
            std::string::npos)
      << over_dir.error().message();
  EXPECT_FALSE(run(TarMaker{}.dir("f")));
  ASSERT_TRUE(run(TarMaker{}.file("f", "new").file("made/x")));
  EXPECT_EQ(read("f"), "new");
  EXPECT_EQ(stat("made").st_uid, 41U);
  EXPECT_EQ(stat("made/x").st_gid, 42U);
}

TEST_F(ApplyTest, ExtractIntoAFolderCountsLinksFromTheRoot) {
  ASSERT_TRUE(put(TarMaker{}.dir("real").dir("var").symlink("var/link", "/real").file("var/f")));
  const auto before = stat("var");
  ExtractOptions options;
  options.place.folder = "var";
  options.place.describe_root = false;
  const auto run = [&](TarMaker& maker) {
    const std::string tar = maker.done();
    base::StringSource source{tar};
    return extract(source, root_.get(), options);
  };
  ASSERT_TRUE(run(TarMaker{}.add(tar_entry("./")).file("x").file("link/y").hard_link("z", "x")));
  EXPECT_EQ(read("var/x"), "text");
  EXPECT_EQ(read("var/z"), "text");
  EXPECT_EQ(read("real/y"), "text") << "through the link, as a process in the root would";
  EXPECT_EQ(stat("var").st_mode, before.st_mode);
  EXPECT_FALSE(run(TarMaker{}.file("../escaped")));
  EXPECT_FALSE(run(TarMaker{}.hard_link("w", "../real/y")));
  EXPECT_FALSE(sys::exists(root_.get(), "escaped").value());
}

TEST(CleanPath, Cases) {
  EXPECT_EQ(tree::clean_path("./a//b/", 0).value(), "a/b");
  EXPECT_EQ(tree::clean_path("./", 0).value(), "");
  EXPECT_EQ(tree::clean_path("/", 0).value(), "");
  EXPECT_EQ(tree::clean_path("a/./b/../c", 0).value(), "a/c");
  EXPECT_EQ(tree::clean_path("a/..", 0).value(), "");
  EXPECT_EQ(tree::clean_path("/..", 0).value(), "");
  EXPECT_EQ(tree::clean_path("...", 0).value(), "...");
  EXPECT_FALSE(tree::clean_path("", 0));
  EXPECT_FALSE(tree::clean_path("..", 0));
  EXPECT_FALSE(tree::clean_path(std::string_view{"a\0b", 3}, 0));
  EXPECT_FALSE(tree::clean_path("abcdef", 5));
}

}  // namespace
}  // namespace layer
