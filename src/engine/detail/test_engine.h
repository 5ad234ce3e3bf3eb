#pragma once
/// For tests only: an engine on a host of its own (network and mount namespaces that end with a child
/// process), with its own data root, run root and cgroup, and an image made of Debian's static busybox.

#include <cstdio>
#include <condition_variable>
#include <cstdlib>
#include <functional>  // lint: allow(header) a test's header
#include <mutex>
#include <string>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/strings.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "codec/tar.h"
#include "engine/engine.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/socket.h"

namespace engine::test {

/// A docker archive with one image, "busybox:latest".
inline std::string busybox_archive(const codec::Json& config) {
  const auto add = [](codec::TarWriter& tar, codec::TarEntry entry, std::string_view bytes = {}) {
    entry.size = bytes.size();
    EXPECT_TRUE(tar.add(entry));
    EXPECT_TRUE(tar.write(bytes));
  };
  const auto file = [](const char* path, std::uint32_t mode) { return codec::TarEntry{.path = path, .mode = mode}; };
  const auto directory = [](const char* path, std::uint32_t mode = 0755) {
    return codec::TarEntry{.path = path, .type = codec::TarType::Directory, .mode = mode};
  };
  base::StringSink layer;
  codec::TarWriter tar{layer};
  for (const char* path : {"bin/", "etc/", "root/", "data/"}) add(tar, directory(path));
  add(tar, directory("tmp/", 01777));
  add(tar, file("bin/busybox", 0755), sys::read_file(sys::kCwd, "/usr/bin/busybox").value());
  for (const char* name : {"sh", "sleep", "echo", "cat", "id", "true", "false", "hostname", "ip", "kill", "ls", "stat",
                           "trap", "wc", "yes", "grep", "mount", "touch", "test", "seq", "stty", "nc", "ps", "env"}) {
    add(tar, {.path = std::string{"bin/"} + name, .type = codec::TarType::HardLink, .mode = 0755,
              .link_target = "bin/busybox"});
  }
  add(tar, file("etc/passwd", 0644), "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/data:/bin/sh\n");
  add(tar, file("etc/group", 0644), "root:x:0:\nwheel:x:10:root\nwww:x:33:\nextra:x:44:www\n");
  add(tar, file("etc/notexecutable", 0644), "#!/bin/sh\n");
  add(tar, file("data/from-image", 0644), "hello\n");
  EXPECT_TRUE(tar.finish());

  const std::string layer_id = codec::sha256(layer.text).str();
  codec::Json document = codec::Json::object({{"architecture", "amd64"}, {"os", "linux"}, {"config", config}});
  document.set("rootfs", codec::Json::object({{"type", "layers"}, {"diff_ids", codec::Json::array({layer_id})}}));
  const std::string config_text = document.dump();
  const std::string config_name = std::string{codec::sha256(config_text).hex()} + ".json";
  codec::Json manifest = codec::Json::object({{"Config", config_name},
                                              {"RepoTags", codec::Json::array({"busybox:latest"})},
                                              {"Layers", codec::Json::array({"layer.tar"})}});
  base::StringSink archive;
  codec::TarWriter out{archive};
  add(out, file(config_name.c_str(), 0644), config_text);
  add(out, file("layer.tar", 0644), layer.text);
  add(out, file("manifest.json", 0644), codec::Json::array({manifest}).dump());
  EXPECT_TRUE(out.finish());
  return archive.text;
}

inline codec::Json default_image_config() {
  return codec::Json::object({{"Cmd", codec::Json::array({"sh"})},
                              {"Env", codec::Json::array({"PATH=/bin", "FROM_IMAGE=1"})}});
}

class Host {
 public:
  Host() {
    char name[] = "/var/tmp/caisson-engine-XXXXXX";
    root_ = ::mkdtemp(name);
    options.data_root = root_ + "/data";
    // As /run is everywhere.
    EXPECT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/run", 0755));
    EXPECT_EQ(::mount("tmpfs", (root_ + "/run").c_str(), "tmpfs", 0, nullptr), 0);  // lint: allow(raw-syscall) a test's host
    options.exec_root = root_ + "/run";
    const std::string self = sys::self_exe().value();
    options.shim_path = self.substr(0, self.rfind('/')) + "/caisson-shim";
    options.init_path = self.substr(0, self.rfind('/')) + "/caisson-init";
    options.exec_opts = {"native.cgroupdriver=cgroupfs"};
    options.cgroup_parent = "/caisson-test-" + std::to_string(::getpid());
  }
  ~Host() {
    remove_containers();
    engine_.reset();
    for (const auto& entry : sys::list_dir(sys::kCwd, "/sys/fs/cgroup").value_or(std::vector<sys::DirEntry>{})) {
      ::rmdir(("/sys/fs/cgroup/" + entry.name + options.cgroup_parent).c_str());
    }
    ::rmdir(("/sys/fs/cgroup" + options.cgroup_parent).c_str());
    ::umount2((root_ + "/run").c_str(), MNT_DETACH);  // lint: allow(raw-syscall) see above
    EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_));
  }

  Engine& engine() {
    if (!engine_) open();
    return *engine_;
  }
  void open() {
    auto opened = Engine::open(options);
    if (!opened) {
      std::fprintf(stderr, "engine: %s\n", opened.error().message().c_str());
      std::fflush(stderr);
      ::_exit(98);
    }
    engine_ = *std::move(opened);
  }
  /// As a daemon that is killed: nothing is told to anybody.
  void close() { engine_.reset(); }
  void load_image(const codec::Json& config = default_image_config()) {
    struct Ignore final : ProgressSink {
      void message(const spec::api::ProgressMessage& /*message*/) override {}
    } ignore;
    const std::string archive = busybox_archive(config);
    base::StringSource source{archive};
    const auto loaded = engine().images().load(source, true, ignore);
    ASSERT_TRUE(loaded) << loaded.error().message();
  }
  [[nodiscard]] const std::string& root() const { return root_; }

  Options options;

 private:
  /// Also those of a test that has failed: their processes would outlive it.
  void remove_containers() {
    if (!engine_) return;
    const auto all = engine_->containers().list({.all = true});
    if (!all) return;
    for (const auto& container : *all) {
      base::ignore(engine_->containers().remove(container.id, {.force = true, .volumes = true}), "a test's end");
    }
  }

  std::string root_;
  std::unique_ptr<Engine> engine_;
};

/// Runs `body` in a child that is root of fresh network and mount namespaces.
inline void on_fresh_host(const std::function<void(Host&)>& body) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root for namespaces";
  const pid_t child = ::fork();  // lint: allow(raw-syscall) the test body dies with its namespaces
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!sys::unshare_namespaces(CLONE_NEWNET | CLONE_NEWNS) || !sys::bring_up_loopback() ||
        !sys::change_mount_at("/", {.propagation = MS_PRIVATE}, true)) {
      ::_exit(99);
    }
    try {
      Host host;
      body(host);
    } catch (const std::exception& error) {  // else it would go on with the other tests, in the child
      ADD_FAILURE() << "exception: " << error.what();
    }
    std::fflush(nullptr);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);  // lint: allow(raw-syscall) see fork
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
}

// Shorter ways to say what most tests say.

inline CreateOptions running(std::vector<std::string> command, std::string name = {}) {
  CreateOptions options;
  options.name = std::move(name);
  options.request.config.image = "busybox";
  options.request.config.cmd = std::move(command);
  options.request.host_config.network_mode = "none";
  return options;
}

inline std::string create(Engine& engine, const CreateOptions& options) {
  const auto created = engine.containers().create(options);
  if (!created) ADD_FAILURE() << created.error().message();
  return created ? created->id : "";
}

inline std::int64_t wait(Engine& engine, const std::string& id, WaitCondition condition = WaitCondition::NotRunning) {
  auto registered = engine.containers().wait(id, condition);
  if (!registered) {
    ADD_FAILURE() << registered.error().message();
    return -1;
  }
  auto ended = (*registered)->get({});
  if (!ended) ADD_FAILURE() << ended.error().message();
  return ended ? ended->status_code : -1;
}

inline std::string logs_of(Engine& engine, const std::string& id) {
  auto reader = engine.containers().logs(id, {.out = true, .err = true});
  if (!reader) {
    ADD_FAILURE() << reader.error().message();
    return {};
  }
  std::string text;
  LogEntry entry;
  while ((*reader)->next(entry, {}).value_or(false)) text += entry.line;
  return text;
}

/// Returns when the log holds `text`, or fails after a while.
inline void wait_for_output(Engine& engine, const std::string& id, const std::string& text) {
  auto reader = engine.containers().logs(id, {.out = true, .err = true, .follow = true});
  ASSERT_TRUE(reader) << reader.error().message();
  std::stop_source stop;
  std::jthread guard{[&stop](std::stop_token ended) {
    std::mutex mutex;
    std::unique_lock lock{mutex};
    std::condition_variable_any never;
    if (!never.wait_for(lock, ended, std::chrono::seconds{20}, [] { return false; }) && !ended.stop_requested()) {
      stop.request_stop();
    }
  }};
  std::string seen;
  LogEntry entry;
  while (seen.find(text) == std::string::npos && (*reader)->next(entry, stop.get_token()).value_or(false)) seen += entry.line;
  EXPECT_NE(seen.find(text), std::string::npos) << seen;
}

/// Creates, starts, waits; the output and the exit code.
struct Outcome {
  std::string output;
  std::int64_t code = -1;
};
inline Outcome run(Engine& engine, const CreateOptions& options) {
  const std::string id = create(engine, options);
  if (const auto started = engine.containers().start(id, ""); !started) {
    ADD_FAILURE() << started.error().message();
    return {};
  }
  const std::int64_t code = wait(engine, id);
  Outcome outcome{logs_of(engine, id), code};
  EXPECT_TRUE(engine.containers().remove(id, {.volumes = true}));
  return outcome;
}

/// Names of the events of one type since the beginning, with one attribute each if asked for.
inline std::vector<std::string> events_of(Engine& engine, const Filters& filters, const std::string& attribute = {}) {
  std::vector<std::string> names;
  const auto stream = engine.events().subscribe(base::Time{}, base::now(), filters).value();
  spec::api::Event event;
  while (stream->next(event, {})) {
    std::string name = event.type == "container" ? event.action : event.type + " " + event.action;
    if (const auto found = event.actor.attributes.find(attribute); found != event.actor.attributes.end()) {
      name += "=" + found->second;
    }
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace engine::test
