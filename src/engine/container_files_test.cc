// Files in and out of containers, running or not, and whether what a container makes up about its links matters.

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::ElementsAre;
using testing::HasSubstr;

/// Path → content, or "dir", "-> target".
using Entries = std::map<std::string, std::string>;

Entries entries_of(const std::string& tar) {
  base::StringSource source{tar};
  codec::TarReader reader{source};
  codec::TarEntry entry;
  Entries entries;
  while (reader.next(entry).value()) {
    if (entry.type == codec::TarType::Directory) {
      entries[entry.path] = "dir";
    } else if (entry.type == codec::TarType::Symlink) {
      entries[entry.path] = "-> " + entry.link_target;
    } else {
      entries[entry.path] = base::read_all(reader.data(), 1U << 26U).value();
    }
  }
  return entries;
}

base::Result<Entries> fetch(Engine& engine, const std::string& id, const std::string& path) {
  const auto found = TRY(engine.files().archive(id, path));
  base::StringSink sink;
  TRY(found.archive->write(sink));
  return entries_of(sink.text);
}

std::string tar_of(const std::map<std::string, std::string>& files, std::uint32_t uid = 0) {
  base::StringSink sink;
  codec::TarWriter writer{sink};
  for (const auto& [path, content] : files) {
    codec::TarEntry entry{.path = path, .mode = 0644, .uid = uid, .gid = uid, .size = content.size()};
    EXPECT_TRUE(writer.add(entry));
    EXPECT_TRUE(writer.write(content));
  }
  EXPECT_TRUE(writer.finish());
  return sink.text;
}

base::Result<> send(Engine& engine, const std::string& id, const std::string& path,
                    const std::map<std::string, std::string>& files, const ExtractOptions& options = {},
                    std::uint32_t uid = 0) {
  const std::string tar = tar_of(files, uid);
  base::StringSource source{tar};
  return engine.files().extract(id, path, options, source);
}

std::string error_of(const auto& result) { return result ? std::string{"(no error)"} : result.error().message(); }

TEST(ContainerFiles, StatSaysWhatGoWould) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"true"}));
    const auto file = engine.files().stat(id, "etc/../data/from-image").value();
    EXPECT_EQ(file.name, "from-image");
    EXPECT_EQ(file.size, 6);
    EXPECT_EQ(file.mode, 0644U);
    EXPECT_EQ(engine.files().stat(id, "/tmp")->mode, 0777U | 1U << 31U | 1U << 20U);
    EXPECT_EQ(engine.files().stat(id, "/etc/")->name, "etc");
    EXPECT_EQ(engine.files().stat(id, "/etc/.")->name, ".");
    EXPECT_EQ(engine.files().stat(id, "/")->name, "/");
    const auto missing = engine.files().stat(id, "/nope");
    EXPECT_TRUE(missing.failed_as(base::ErrorKind::NotFound));
    EXPECT_EQ(error_of(missing), "Could not find the file /nope in container " + id);
    EXPECT_TRUE(engine.files().stat("nobody", "/").failed_as(base::ErrorKind::NotFound));
    EXPECT_TRUE(engine.containers().remove(id, {}));
  });
}

TEST(ContainerFiles, NamesFollowTheLastComponent) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"true"}));
    const Entries folder{{"data/", "dir"}, {"data/from-image", "hello\n"}};
    EXPECT_EQ(fetch(engine, id, "/data").value(), folder);
    EXPECT_EQ(fetch(engine, id, "data/").value(), folder);
    EXPECT_EQ(fetch(engine, id, "/data/.").value(), (Entries{{"./", "dir"}, {"./from-image", "hello\n"}}));
    EXPECT_EQ(fetch(engine, id, "/data/from-image").value(), (Entries{{"from-image", "hello\n"}}));
    const Entries root = fetch(engine, id, "/").value();
    EXPECT_EQ(root.at("/"), "dir");
    EXPECT_EQ(root.at("/data/from-image"), "hello\n");
    EXPECT_THAT(events_of(engine, {{"event", {"archive-path"}}}).size(), 5U);
    EXPECT_TRUE(engine.containers().remove(id, {}));
  });
}

TEST(ContainerFiles, GoInAndOutWhetherItRunsOrNot) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "cat /volume/before /tmp/before; echo ready; sleep 100"});
    options.request.host_config.binds = std::vector<std::string>{"vol:/volume"};
    options.request.host_config.tmpfs = spec::api::Labels{{"/ram", ""}};
    const std::string id = create(engine, options);
    ASSERT_TRUE(send(engine, id, "/volume", {{"before", "volume\n"}}));
    ASSERT_TRUE(send(engine, id, "/tmp", {{"before", "layer\n"}}));
    EXPECT_EQ(fetch(engine, id, "/volume/before").value(), (Entries{{"before", "volume\n"}}));
    EXPECT_EQ(sys::read_file(sys::kCwd, host.options.data_root + "/volumes/vol/_data/before").value(), "volume\n");

    ASSERT_TRUE(engine.containers().start(id, ""));
    wait_for_output(engine, id, "volume\nlayer\nready\n");
    ASSERT_TRUE(send(engine, id, "/ram", {{"x", "memory"}}));
    ASSERT_TRUE(send(engine, id, "/volume", {{"y", "disk"}}));
    EXPECT_EQ(fetch(engine, id, "/ram").value(), (Entries{{"ram/", "dir"}, {"ram/x", "memory"}}));
    EXPECT_EQ(fetch(engine, id, "/volume/y").value(), (Entries{{"y", "disk"}}));

    ASSERT_TRUE(engine.containers().pause(id));
    EXPECT_EQ(fetch(engine, id, "/tmp/before").value(), (Entries{{"before", "layer\n"}})) << "and while it is frozen";
    ASSERT_TRUE(engine.containers().kill(id, ""));
    EXPECT_EQ(fetch(engine, id, "/tmp/before").value(), (Entries{{"before", "layer\n"}}));
    EXPECT_TRUE(engine.files().stat(id, "/ram/x").failed_as(base::ErrorKind::NotFound)) << "it was memory";
    EXPECT_TRUE(engine.containers().remove(id, {.volumes = true}));
  });
}

TEST(ContainerFiles, WhatCannotBeWrittenSaysSo) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sleep", "100"});
    options.request.host_config.readonly_rootfs = true;
    options.request.host_config.binds = std::vector<std::string>{"rw:/rw", "ro:/ro:ro"};
    options.request.host_config.tmpfs = spec::api::Labels{{"/ram", ""}};
    const std::string id = create(engine, options);
    for (const bool runs : {false, true}) {
      if (runs) {
        ASSERT_TRUE(engine.containers().start(id, ""));
      }
      EXPECT_EQ(error_of(send(engine, id, "/tmp", {{"x", ""}})), "container rootfs is marked read-only");
      EXPECT_EQ(error_of(send(engine, id, "/ro", {{"x", ""}})), "mounted volume is marked read-only");
      EXPECT_TRUE(send(engine, id, "/rw", {{"x", ""}}));
      const auto file = send(engine, id, "/etc/passwd", {{"x", ""}});
      EXPECT_TRUE(file.failed_as(base::ErrorKind::InvalidArgument));
      EXPECT_EQ(error_of(file), "extraction point is not a directory");
      EXPECT_EQ(error_of(send(engine, id, "/no", {})), "Could not find the file /no in container " + id);
    }
    EXPECT_TRUE(send(engine, id, "/ram", {{"x", ""}})) << "a tmpfs in a read-only root";
    EXPECT_TRUE(engine.containers().remove(id, {.force = true}));
  });
}

TEST(ContainerFiles, KindsAndOwnersAreKept) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "stat -c %u:%g /tmp/archive /tmp/user"});
    options.request.config.user = "www";
    const std::string id = create(engine, options);
    EXPECT_THAT(error_of(send(engine, id, "/", {{"etc", "no"}}, {.no_overwrite_dir_non_dir = true})),
                HasSubstr("cannot overwrite directory \"/etc\" with non-directory \"/\""));
    ASSERT_TRUE(send(engine, id, "/tmp", {{"archive", ""}}, {}, 77));
    ASSERT_TRUE(send(engine, id, "/tmp", {{"user", ""}}, {.copy_uid_gid = true}, 77));
    ASSERT_TRUE(engine.containers().start(id, ""));
    EXPECT_EQ(wait(engine, id), 0);
    EXPECT_EQ(logs_of(engine, id), "77:77\n33:33\n");
    EXPECT_TRUE(engine.containers().remove(id, {}));
  });
}

TEST(ContainerFiles, LinksNeverLeaveTheContainer) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string secret = host.root() + "/secret";
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, secret, 0700));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, secret + "/file", "of the host"));
    const std::string id = create(
        engine, running({"sh", "-c", "busybox ln -s " + secret + " /out; busybox ln -s ../../../../../../.." + secret +
                                         " /tmp/up; busybox ln -s /data /inside; busybox ln -s /proc/1/root /magic; "
                                         "echo ready; sleep 100"}));
    ASSERT_TRUE(engine.containers().start(id, ""));
    wait_for_output(engine, id, "ready\n");
    for (const bool runs : {true, false}) {
      if (!runs) {
        ASSERT_TRUE(engine.containers().kill(id, ""));
      }
      for (const std::string path : {"/out", "/tmp/up"}) {
        EXPECT_EQ(fetch(engine, id, path)->begin()->second.substr(0, 3), "-> ") << "a link is copied as one";
        EXPECT_FALSE(fetch(engine, id, path + "/")) << path;
        EXPECT_FALSE(fetch(engine, id, path + "/file")) << path;
        EXPECT_FALSE(send(engine, id, path, {{"file", "overwritten"}})) << path;
      }
      EXPECT_EQ(engine.files().stat(id, "/out")->link_target, secret);
      EXPECT_FALSE(send(engine, id, "/magic" + secret, {{"file", "overwritten"}}));
      EXPECT_EQ(fetch(engine, id, "/inside/from-image").value(), (Entries{{"from-image", "hello\n"}}));
      EXPECT_EQ(engine.files().stat(id, "/inside")->link_target, "/data");
      EXPECT_EQ(error_of(send(engine, id, "/tmp", {{"../../escape", ""}})).find("(no error)"), std::string::npos);
      // Through a link of the container, as the container itself would get there.
      EXPECT_TRUE(send(engine, id, "/", {{"inside/new", "x"}}));
      EXPECT_EQ(fetch(engine, id, "/data/new").value(), (Entries{{"new", "x"}}));
    }
    EXPECT_EQ(sys::read_file(sys::kCwd, secret + "/file").value(), "of the host");
    EXPECT_EQ(sys::list_dir(sys::kCwd, secret)->size(), 1U);
    EXPECT_TRUE(engine.containers().remove(id, {}));
  });
}

/// A container that swaps a folder and a link to the host's root all the time (CVE-2018-15664).
TEST(ContainerFiles, ARaceForTheHostIsLost) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string mark = host.root() + "/mark";
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, mark, 0777));
    const std::string id = create(
        engine, running({"sh", "-c", "mkdir() { busybox mkdir -p $1; }; mkdir /a" + mark + "; mkdir /a/b; echo ready; "
                                     "while :; do busybox mv /a /c; busybox ln -s / /a; busybox rm /a; busybox mv /c /a; done"}));
    ASSERT_TRUE(engine.containers().start(id, ""));
    wait_for_output(engine, id, "ready\n");
    for (int i = 0; i < 300; ++i) base::ignore(send(engine, id, "/a" + mark, {{"f", "x"}}), "it may not be there now");
    EXPECT_TRUE(sys::list_dir(sys::kCwd, mark)->empty());
    EXPECT_TRUE(engine.containers().remove(id, {.force = true}));
  });
}

std::vector<std::string> lines_of(const std::vector<spec::api::FilesystemChange>& changes) {
  std::vector<std::string> lines;
  for (const auto& change : changes) lines.push_back(std::string{"CAD"[change.kind]} + " " + change.path);
  return lines;
}

class WithDriver : public testing::TestWithParam<const char*> {};

TEST_P(WithDriver, ChangesExportAndCommitAgree) {
  on_fresh_host([](Host& host) {
    host.options.storage_driver = GetParam();
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "echo new > /data/new; busybox rm /data/from-image; echo more >> /etc/group; "
                                        "echo seen > /volume/x; echo ready; sleep 100"}, "box");
    options.request.host_config.binds = std::vector<std::string>{"vol:/volume"};
    options.request.config.labels = spec::api::Labels{{"of", "container"}};
    create(engine, options);
    EXPECT_TRUE(engine.files().changes("box")->empty());
    ASSERT_TRUE(engine.containers().start("box", ""));
    wait_for_output(engine, "box", "ready\n");
    for (const bool runs : {true, false}) {
      if (!runs) {
        ASSERT_TRUE(engine.containers().kill("box", ""));
      }
      EXPECT_THAT(lines_of(engine.files().changes("box").value()),
                  ElementsAre("C /data", "D /data/from-image", "A /data/new", "C /etc", "C /etc/group", "A /volume"));
      base::StringSink tar;
      ASSERT_TRUE(engine.files().export_tree("box").value()->write(tar));
      const Entries exported = entries_of(tar.text);
      EXPECT_EQ(exported.at("data/new"), "new\n");
      EXPECT_FALSE(exported.contains("data/from-image"));
      EXPECT_FALSE(exported.contains("volume/x")) << "volumes are not the container's";
      EXPECT_TRUE(exported.contains("volume/"));

      const std::string tag = runs ? "running" : "stopped";
      CommitOptions commit{.repository = "made", .tag = tag, .comment = "why", .author = "who"};
      commit.changes = {"CMD [\"sh\", \"-c\", \"cat /data/new; echo $A; ls /data\"]", "ENV A=\"b c\" D=$A", "LABEL more=1"};
      const auto id = engine.files().commit("box", commit);
      ASSERT_TRUE(id) << id.error().message();
      const auto image = engine.images().inspect("made:" + tag).value();
      EXPECT_EQ(image.id, *id);
      EXPECT_EQ(image.comment, "why");
      EXPECT_EQ(image.author, "who");
      EXPECT_EQ(image.root_fs.layers.size(), 2U);
      EXPECT_THAT(image.config.env.value(), testing::Contains("A=b c"));
      EXPECT_THAT(image.config.env.value(), testing::Contains("FROM_IMAGE=1"));
      EXPECT_EQ(image.config.labels->at("of"), "container");
      EXPECT_EQ(engine.images().history(*id)->front().comment, "why");
      if (runs) {
        EXPECT_EQ(engine.containers().inspect("box", false)->state.status, "running") << "not paused any more";
      }
      auto made = running({}, "");
      made.request.config.image = "made:" + tag;
      made.request.config.cmd.reset();
      EXPECT_EQ(run(engine, made).output, "new\nb c\nnew\n");
    }
    EXPECT_THAT(events_of(engine, {{"event", {"commit"}}}, "imageRef"), ElementsAre("commit=made:running", "commit=made:stopped"));
    EXPECT_TRUE(engine.containers().remove("box", {}));
  });
}

INSTANTIATE_TEST_SUITE_P(ContainerFiles, WithDriver, testing::Values("overlay", "native"),
                         [](const auto& driver) { return std::string{driver.param}; });

TEST(ContainerFiles, ACommitOfNothingHasTheSameLayers) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"true"}));
    ASSERT_TRUE(engine.containers().start(id, ""));
    wait(engine, id);
    const std::string image = engine.files().commit(id, {}).value();
    EXPECT_EQ(engine.images().inspect(image)->root_fs.layers.size(), 1U);
    EXPECT_TRUE(engine.images().inspect(image)->repo_tags.empty());
    EXPECT_EQ(error_of(engine.files().commit(id, {.changes = {"FROM x"}})), "from is not a valid change command");
    EXPECT_TRUE(engine.files().commit(id, {.repository = "Bad Name"}).failed_as(base::ErrorKind::InvalidArgument));
    EXPECT_TRUE(engine.containers().remove(id, {}));
    EXPECT_TRUE(engine.files().commit(id, {}).failed_as(base::ErrorKind::NotFound));
  });
}

}  // namespace
}  // namespace engine
