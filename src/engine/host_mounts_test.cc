// Mounts that stand for something: images, volumes with a driver's options, what is mounted below a bind.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::HasSubstr;
using testing::IsEmpty;

CreateOptions with_mount(spec::api::Mount mount, std::vector<std::string> command) {
  auto options = running(std::move(command));
  options.request.host_config.mounts = std::vector{std::move(mount)};
  return options;
}

TEST(HostMounts, AnImageIsMountedReadOnlyWhileTheContainerRuns) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const Outcome whole = run(engine, with_mount({.type = "image", .source = "busybox", .target = "/img"},
                                                 {"sh", "-c", "cat /img/data/from-image; touch /img/x || echo refused"}));
    EXPECT_THAT(whole.output, HasSubstr("hello\n"));
    EXPECT_THAT(whole.output, HasSubstr("refused\n"));
    const Outcome part = run(engine, with_mount({.type = "image", .source = "busybox", .target = "/img",
                                                 .image_options = spec::api::ImageOptions{.subpath = "data"}},
                                                {"ls", "/img"}));
    EXPECT_EQ(part.output, "from-image\n");
    EXPECT_THAT(sys::list_dir(sys::kCwd, host.options.exec_root + "/images").value(), IsEmpty());

    // A daemon that dies leaves the mount to the next one.
    const std::string id = create(engine, with_mount({.type = "image", .source = "busybox", .target = "/img"},
                                                     {"sh", "-c", "while ! test -e /go; do sleep 0.05; done; cat /img/data/from-image"}));
    ASSERT_TRUE(engine.containers().start(id, ""));
    host.close();
    host.open();
    const auto pid = host.engine().containers().inspect(id, false)->state.pid;
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, "/proc/" + std::to_string(pid) + "/root/go", ""));
    EXPECT_EQ(wait(host.engine(), id), 0);
    EXPECT_EQ(logs_of(host.engine(), id), "hello\n");
    EXPECT_EQ(host.engine().containers().inspect(id, false)->mounts.at(0).type, "image");
    EXPECT_THAT(sys::list_dir(sys::kCwd, host.options.exec_root + "/images").value(), IsEmpty());
  });
}

TEST(HostMounts, WrongImageMountsMakeNothing) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const auto message = [&](spec::api::Mount mount) {
      const auto made = engine.containers().create(with_mount(std::move(mount), {"true"}));
      return made ? std::string{"(no error)"} : made.error().message();
    };
    EXPECT_THAT(message({.type = "image", .source = "nobody", .target = "/img"}), HasSubstr("nobody"));
    EXPECT_EQ(message({.type = "image", .target = "/img"}), "invalid mount config for type \"image\": field Source must not be empty");
    EXPECT_EQ(message({.type = "tmpfs", .target = "/img", .image_options = spec::api::ImageOptions{}}),
              "invalid mount config for type \"tmpfs\": field ImageOptions must not be specified");
    const std::string id = create(engine, with_mount({.type = "image", .source = "busybox", .target = "/img",
                                                      .image_options = spec::api::ImageOptions{.subpath = "nowhere"}}, {"true"}));
    EXPECT_THAT(engine.containers().start(id, "").error().message(), HasSubstr("cannot access path nowhere of image busybox"));
    EXPECT_THAT(sys::list_dir(sys::kCwd, host.options.exec_root + "/images").value(), IsEmpty());
  });
}

TEST(HostMounts, ReadOnlyReachesWhatIsMountedBelow) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string folder = host.root() + "/source";
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, folder + "/sub", 0755));
    ASSERT_EQ(::mount("tmpfs", (folder + "/sub").c_str(), "tmpfs", 0, nullptr), 0);  // lint: allow(raw-syscall) a test's host
    const auto outcome = [&](spec::api::BindOptions bind) {
      return run(engine, with_mount({.type = "bind", .source = folder, .target = "/m", .read_only = true, .bind_options = bind},
                                    {"sh", "-c", "touch /m/sub/x 2>/dev/null && echo written; touch /m/x 2>/dev/null && echo wrong; true"}))
          .output;
    };
    EXPECT_EQ(outcome({}), "");
    EXPECT_EQ(outcome({.read_only_force_recursive = true}), "");
    EXPECT_EQ(outcome({.read_only_non_recursive = true}), "written\n");
    EXPECT_EQ(outcome({.non_recursive = true}), "");
    auto binds = running({"sh", "-c", "touch /m/sub/y 2>/dev/null || echo refused"});
    binds.request.host_config.binds = std::vector<std::string>{folder + ":/m:ro"};
    EXPECT_EQ(run(engine, binds).output, "refused\n");
    ::umount2((folder + "/sub").c_str(), MNT_DETACH);  // lint: allow(raw-syscall) a test's host
  });
}

TEST(HostMounts, AVolumeThatIsAFolderGetsTheImagesFilesOnce) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string folder = host.root() + "/folder";
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, folder, 0755));
    const auto made = engine.volumes().create(codec::Json::object(
        {{"Name", "bound"}, {"DriverOpts", codec::Json::object({{"type", "none"}, {"o", "bind"}, {"device", folder}})}}));
    ASSERT_TRUE(made) << made.error().message();
    auto options = running({"cat", "/data/from-image"});
    options.request.host_config.binds = std::vector<std::string>{"bound:/data"};
    EXPECT_EQ(run(engine, options).output, "hello\n");
    EXPECT_TRUE(sys::exists(sys::kCwd, folder + "/from-image").value());
    ASSERT_TRUE(engine.volumes().remove("bound", false));
    EXPECT_TRUE(sys::exists(sys::kCwd, folder + "/from-image").value());
  });
}

TEST(HostMounts, InitReapsAndForwards) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "trap 'echo got; exit 3' TERM; echo up; while :; do sleep 0.05; done"}, "box");
    options.request.host_config.init = true;
    const std::string id = create(engine, options);
    ASSERT_TRUE(engine.containers().start(id, ""));
    wait_for_output(engine, id, "up\n");
    ASSERT_TRUE(engine.containers().stop(id, {.timeout = std::chrono::seconds{60}}));
    EXPECT_EQ(engine.containers().inspect(id, false)->state.exit_code, 3);
    EXPECT_EQ(logs_of(engine, id), "up\ngot\n");
    const auto code = [&](std::vector<std::string> command) {
      auto one = running(std::move(command));
      one.request.host_config.init = true;
      return run(engine, one).code;
    };
    EXPECT_EQ(code({"/nowhere"}), 127);
    EXPECT_EQ(code({"/etc/notexecutable"}), 126);
    EXPECT_EQ(code({"sh", "-c", "kill -9 $$"}), 137);
    EXPECT_EQ(code({"true"}), 0);
    auto orphans = running({"sh", "-c", "(sh -c 'sleep 0.1 & exit'); for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; ps -o stat | grep -q Z || exit 0; done; ps; exit 1"});
    orphans.request.host_config.init = true;
    const Outcome outcome = run(engine, orphans);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
  });
}

TEST(HostMounts, DevicesOfACdiFile) {
  on_fresh_host([](Host& host) {
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, host.root() + "/cdi", 0755));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, host.root() + "/cdi/vendor.yaml",
                                       "cdiVersion: 0.6.0\nkind: vendor.com/null\ndevices:\n- name: one\n  containerEdits:\n"
                                       "    env: [GIVEN=yes]\n    deviceNodes: [{path: /dev/vendor0, hostPath: /dev/zero}]\n"));
    host.options.cdi_spec_dirs = {host.root() + "/cdi"};
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "echo $GIVEN; test -c /dev/vendor0 && wc -c </dev/null"});
    options.request.host_config.resources.device_requests =
        std::vector<spec::api::DeviceRequest>{{.driver = "cdi", .device_ids = std::vector<std::string>{"vendor.com/null=one"}}};
    const Outcome outcome = run(engine, options);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.output, HasSubstr("yes\n"));
    options.request.host_config.resources.device_requests->front().device_ids = std::vector<std::string>{"vendor.com/null=two"};
    const std::string id = create(engine, options);
    EXPECT_EQ(engine.containers().start(id, "").error().message(),
              "CDI device injection failed: unresolvable CDI devices vendor.com/null=two");
  });
}

}  // namespace
}  // namespace engine
