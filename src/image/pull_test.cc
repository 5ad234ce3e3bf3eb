#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/testing/fixture.h"

namespace {

using base::ErrorKind;
using distribution::testing::FakeRegistry;
using distribution::testing::FakeReply;
using distribution::testing::FakeRequest;
using image::testing::make_image;
using image::testing::noise;
using image::testing::Recorder;
using image::testing::TestImage;
using image::testing::World;
using testing::Contains;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

bool is_blob(const FakeRequest& request) { return request.target.find("/blobs/") != std::string::npos; }

/// One small image "app:1" on a registry, with two layers.
struct Scene {
  explicit Scene(std::size_t big = 1000)
      : image{make_image({{{"etc/one", "1"}, {"data", noise(big)}}, {{"etc/two", "2"}}})} {
    put(registry, "app", "1", image);
  }
  [[nodiscard]] std::string name() const { return registry.server.host() + "/app:1"; }
  [[nodiscard]] std::string layer(std::size_t i) const { return codec::sha256(image.blobs[i]).short_hex(); }
  [[nodiscard]] std::size_t requests(std::size_t blob) const {
    return registry.server.requests_for(codec::sha256(image.blobs[blob]).str()).size();
  }
  FakeRegistry registry;
  TestImage image;
};

TEST(Pull, SaysWhatDockerSays) {
  Scene scene;
  World world;
  Recorder recorder;
  const auto id = world.pull(scene.name(), &recorder);
  ASSERT_TRUE(id) << id.error().message();
  EXPECT_EQ(*id, scene.image.id());
  const auto lines = recorder.lines();
  ASSERT_GE(lines.size(), 5U);
  EXPECT_EQ(lines[0], "1: Pulling from app");
  EXPECT_EQ(lines[1], scene.layer(0) + ": Pulling fs layer");
  EXPECT_EQ(lines[2], scene.layer(1) + ": Pulling fs layer");
  EXPECT_EQ(lines[lines.size() - 2], "Digest: " + scene.image.digest().str());
  EXPECT_EQ(lines.back(), "Status: Downloaded newer image for " + scene.name());
  std::vector<std::string> of_first;
  for (const auto& line : lines) {
    if (line.starts_with(scene.layer(0)) && (of_first.empty() || of_first.back() != line))
      of_first.push_back(line);
  }
  for (auto& line : of_first) line.erase(0, scene.layer(0).size() + 2);
  EXPECT_EQ(of_first, (std::vector<std::string>{"Pulling fs layer", "Downloading", "Verifying Checksum",
                                                "Download complete", "Extracting", "Pull complete"}));
  for (const auto& message : recorder.messages()) {
    if (message.status == "Extracting") {
      EXPECT_EQ(message.progress_detail->current, message.progress_detail->total);
      EXPECT_THAT(message.progress, HasSubstr("[==================================================>]"));
    }
  }

  EXPECT_EQ(world.file(scene.name(), "etc/one"), "1");
  EXPECT_EQ(world.file(scene.name(), "etc/two"), "2");
  const auto inspect = world.store->inspect(scene.name());
  ASSERT_TRUE(inspect);
  EXPECT_EQ(inspect->id, scene.image.id().str());
  EXPECT_EQ(inspect->repo_tags, std::vector<std::string>{scene.name()});
  EXPECT_EQ(inspect->repo_digests,
            std::vector<std::string>{scene.registry.server.host() + "/app@" + scene.image.digest().str()});
  EXPECT_EQ(inspect->config.cmd, std::vector<std::string>{"/bin/sh"});
  EXPECT_EQ(inspect->size, 1000 + 1 + 1);
  EXPECT_EQ(inspect->root_fs.layers.size(), 2U);
}

TEST(Pull, AgainIsUpToDate) {
  Scene scene;
  World world;
  ASSERT_TRUE(world.pull(scene.name()));
  Recorder recorder;
  ASSERT_TRUE(world.pull(scene.name(), &recorder));
  EXPECT_EQ(recorder.lines(),
            (std::vector<std::string>{"1: Pulling from app", "Digest: " + scene.image.digest().str(),
                                      "Status: Image is up to date for " + scene.name()}));
  EXPECT_EQ(scene.requests(0), 1U);
}

TEST(Pull, SharedLayersExistAlready) {
  Scene scene;
  const auto other = make_image({{{"etc/one", "1"}, {"data", noise(1000)}}, {{"etc/three", "3"}}});
  put(scene.registry, "other", "latest", other);
  World world;
  ASSERT_TRUE(world.pull(scene.name()));
  Recorder recorder;
  ASSERT_TRUE(world.pull(scene.registry.server.host() + "/other", &recorder));
  EXPECT_TRUE(recorder.said(scene.layer(0) + ": Already exists"));
  EXPECT_EQ(scene.requests(0), 1U);
  EXPECT_EQ(world.layers(), 3U);
}

TEST(Pull, ByDigestMakesNoTag) {
  Scene scene;
  World world;
  const std::string name = scene.registry.server.host() + "/app@" + scene.image.digest().str();
  Recorder recorder;
  ASSERT_TRUE(world.pull(name, &recorder));
  EXPECT_TRUE(recorder.said(scene.image.digest().str() + ": Pulling from app"));
  EXPECT_TRUE(recorder.said("Status: Downloaded newer image for " + name));
  const auto inspect = world.store->inspect(name).value();
  EXPECT_TRUE(inspect.repo_tags.empty());
  EXPECT_EQ(inspect.repo_digests, std::vector<std::string>{name});
}

TEST(Pull, TakesThePlatformFromAnIndex) {
  FakeRegistry registry;
  const auto host = make_image({{{"arch", "mine"}}}, {.architecture = spec::Platform::host().architecture});
  const auto foreign = make_image({{{"arch", "s390x"}}}, {.architecture = "s390x"});
  put(registry, "multi", "", host);
  put(registry, "multi", "", foreign);
  spec::Index index;
  index.media_type = spec::media::kDockerList;
  for (const auto* image : {&foreign, &host}) {
    auto descriptor = spec::Descriptor::of(image->media_type, image->digest(), image->manifest.size());
    descriptor.platform = spec::ImageConfig::parse(image->config).value().platform();
    index.manifests.push_back(descriptor);
  }
  registry.put("multi/manifests/latest", index.dump(), std::string{spec::media::kDockerList});
  World world;
  const std::string name = registry.server.host() + "/multi";
  Recorder recorder;
  ASSERT_EQ(world.pull(name).value(), host.id());
  EXPECT_EQ(world.file(name, "arch"), "mine");
  EXPECT_EQ(world.store->inspect(name)->repo_digests.front(), name + "@" + codec::sha256(index.dump()).str());

  image::PullRequest request{spec::Reference::parse(name).value().with_default_tag(), "linux/s390x", {}};
  EXPECT_EQ(world.store->pull(request, recorder, {}).value(), foreign.id());
  request.platform = "linux/mips64le";
  const auto none = world.store->pull(request, recorder, {});
  ASSERT_TRUE(none.failed_as(ErrorKind::NotFound));
  EXPECT_EQ(none.error().message(), "no matching manifest for linux/mips64le in the manifest list entries");
}

TEST(Pull, SurvivesTwoBrokenConnectionsInALayer) {
  Scene scene{2'000'000};
  std::atomic<int> cuts = 0;
  scene.registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (!is_blob(request) || reply.body.size() < 700'000 || cuts >= 2) return std::nullopt;
    ++cuts;
    reply.cut_after = 600'000;
    return reply;
  });
  World world;
  Recorder recorder;
  ASSERT_TRUE(world.pull(scene.name(), &recorder));
  EXPECT_TRUE(recorder.said(scene.layer(0) + ": Retrying in 1 second"));
  const auto requests = scene.registry.server.requests_for(codec::sha256(scene.image.blobs[0]).str());
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[2].header("range"), "bytes=1200000-");
  EXPECT_EQ(world.file(scene.name(), "data"), noise(2'000'000));
}

TEST(Pull, OfARegistryThatIsGoneFailsClearlyAndResumesLater) {
  World world;
  Scene scene{2'000'000};
  scene.registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (!is_blob(request) || reply.body.size() < 700'000) return std::nullopt;
    if (!request.header("range").empty()) {
      FakeReply gone;
      gone.status = 503;
      return gone;
    }
    reply.cut_after = 600'000;
    return reply;
  });
  const auto failed = world.pull(scene.name());
  ASSERT_TRUE(failed.failed_as(ErrorKind::Unavailable));
  EXPECT_THAT(failed.error().message(), HasSubstr("503"));
  EXPECT_EQ(world.layers(), 0U);
  EXPECT_EQ(world.store->count().value(), 0U);

  // Another day, another daemon, another registry with the same content.
  world.reopen();
  FakeRegistry mirror;
  put(mirror, "app", "1", scene.image);
  const auto pulled = world.pull(mirror.server.host() + "/app:1");
  ASSERT_TRUE(pulled) << pulled.error().message();
  const auto requests = mirror.server.requests_for(codec::sha256(scene.image.blobs[0]).str());
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].header("range"), "bytes=600000-");
  // The second layer may have been finished before the failure.
  EXPECT_LE(mirror.server.requests_for(codec::sha256(scene.image.blobs[1]).str()).size(), 1U);
}

TEST(Pull, AWrongLayerLeavesNothing) {
  Scene scene{100'000};
  auto damaged = scene.image.blobs[0];
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  scene.registry.put("app/blobs/" + codec::sha256(scene.image.blobs[0]).str(), damaged);
  World world;
  const auto failed = world.pull(scene.name());
  ASSERT_TRUE(failed.failed_as(ErrorKind::InvalidArgument)) << failed.error().message();
  EXPECT_THAT(failed.error().message(), HasSubstr("filesystem layer verification failed for digest"));
  EXPECT_FALSE(world.content->has(codec::sha256(scene.image.blobs[0])).value());
  EXPECT_FALSE(world.content->has(codec::sha256(damaged)).value());
  EXPECT_EQ(world.layers(), 0U);
  EXPECT_TRUE(world.store->list({})->empty());

  scene.registry.put("app/blobs/" + codec::sha256(scene.image.blobs[0]).str(), scene.image.blobs[0]);
  EXPECT_TRUE(world.pull(scene.name()));
}

TEST(Pull, ALayerThatTheConfigDoesNotNameLeavesNothing) {
  FakeRegistry registry;
  auto liar = make_image({{{"a", "1"}}});
  const auto other = make_image({{{"b", "2"}}});
  auto manifest = spec::Manifest::parse(liar.manifest).value();
  manifest.layers = spec::Manifest::parse(other.manifest).value().layers;
  liar.manifest = manifest.dump();
  liar.blobs = other.blobs;
  put(registry, "liar", "latest", liar);
  World world;
  const auto failed = world.pull(registry.server.host() + "/liar");
  ASSERT_TRUE(failed.failed_as(ErrorKind::InvalidArgument));
  EXPECT_THAT(failed.error().message(), HasSubstr("wrong diff id"));
  EXPECT_EQ(world.layers(), 0U);
  EXPECT_FALSE(world.content->has(codec::sha256(other.blobs[0])).value());
}

TEST(Pull, NumbersOfLayersMustFit) {
  FakeRegistry registry;
  auto liar = make_image({{{"a", "1"}}, {{"b", "2"}}});
  auto manifest = spec::Manifest::parse(liar.manifest).value();
  manifest.layers.pop_back();
  liar.manifest = manifest.dump();
  put(registry, "liar", "latest", liar);
  World world;
  EXPECT_TRUE(world.pull(registry.server.host() + "/liar").failed_as(ErrorKind::InvalidArgument));
}

TEST(Pull, LayersWithoutEndAreRefused) {
  FakeRegistry registry;
  auto deep = make_image(std::vector<image::testing::Files>(501));
  put(registry, "deep", "latest", deep);
  World world;
  const auto failed = world.pull(registry.server.host() + "/deep");
  ASSERT_TRUE(failed.failed_as(ErrorKind::InvalidArgument));
  EXPECT_THAT(failed.error().message(), HasSubstr("max depth exceeded"));
}

TEST(Pull, AndRemoveAtTheSameTimeLeaveNothingHalf) {
  Scene scene;
  World world;
  std::atomic<bool> done = false;
  std::jthread remover{[&] {
    while (!done) {
      const auto removed = world.store->remove(scene.name(), true, true, image::testing::Users{});
      EXPECT_TRUE(removed || removed.failed_as(ErrorKind::NotFound)) << removed.error().message();
    }
  }};
  for (int i = 0; i < 60; ++i) {
    const auto pulled = world.pull(scene.name());
    ASSERT_TRUE(pulled) << pulled.error().message();
  }
  done = true;
  remover.join();
  const auto last = world.pull(scene.name());
  ASSERT_TRUE(last) << last.error().message();
  EXPECT_EQ(world.file(scene.name(), "etc/two"), "2");
  EXPECT_TRUE(world.save({scene.name()}));
  world.reopen();
  EXPECT_EQ(world.layers(), 2U);
  EXPECT_EQ(world.blobs(), 4U);
}

TEST(Pull, TwoAtOnceDownloadOnce) {
  Scene scene{3'000'000};
  const auto other = make_image({{{"etc/one", "1"}, {"data", noise(3'000'000)}}, {{"etc/three", "3"}}});
  put(scene.registry, "other", "1", other);
  World world;
  std::vector<base::Result<base::Digest>> results(6, base::internal("not run"));
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back([&, i] {
        results[i] = world.pull(scene.registry.server.host() + (i % 2 == 0 ? "/app:1" : "/other:1"));
      });
    }
  }
  for (const auto& result : results) EXPECT_TRUE(result) << result.error().message();
  EXPECT_EQ(scene.requests(0), 1U);
  EXPECT_EQ(scene.requests(1), 1U);
  EXPECT_EQ(world.layers(), 3U);
}

TEST(Pull, ThatIsCancelledLetsAnotherGoOn) {
  Scene scene{2'000'000};
  std::atomic<bool> stuck = true;
  std::atomic<int> big_requests = 0;
  scene.registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (!is_blob(request) || reply.body.size() < 700'000) return std::nullopt;
    ++big_requests;
    reply.hang = stuck;
    return reply;
  });
  World world;
  std::stop_source stop;
  base::Result<base::Digest> first = base::internal("not run");
  std::jthread one{[&] { first = world.pull(scene.name(), nullptr, stop.get_token()); }};
  while (big_requests == 0) std::this_thread::yield();
  stuck = false;
  base::Result<base::Digest> second = base::internal("not run");
  std::jthread two{[&] { second = world.pull(scene.name()); }};
  stop.request_stop();
  one.join();
  two.join();
  EXPECT_TRUE(first.failed_as(ErrorKind::Unavailable));
  EXPECT_THAT(first.error().message(), HasSubstr("context canceled"));
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(world.layers(), 2U);
}

TEST(Pull, AMovedTagLeavesTheOldImageNameless) {
  Scene scene;
  World world;
  const auto old = world.pull(scene.name()).value();
  const auto newer = make_image({{{"etc/one", "new"}}});
  put(scene.registry, "app", "1", newer);
  Recorder recorder;
  ASSERT_EQ(world.pull(scene.name(), &recorder).value(), newer.id());
  EXPECT_TRUE(recorder.said("Status: Downloaded newer image for " + scene.name()));
  const auto images = world.store->list({}).value();
  ASSERT_EQ(images.size(), 2U);
  const auto dangling = world.store->list({.filters = {{"dangling", {"true"}}}}).value();
  ASSERT_EQ(dangling.size(), 1U);
  EXPECT_EQ(dangling[0].id, old.str());
}

/// Runs `work` in a process that is then killed, unless it dies by itself before.
void in_doomed_process(const std::function<void()>& work, const std::function<bool()>& enough) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    work();
    ::_exit(0);
  }
  for (;;) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) return;
    if (enough()) break;
    ::usleep(1000);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(Pull, ThatIsKilledResumes) {
  Scene scene{4'000'000};
  scene.registry.set_trouble([&](const FakeRequest& request, FakeReply reply) -> std::optional<FakeReply> {
    if (!is_blob(request) || reply.body.size() < 700'000 || !request.header("range").empty())
      return std::nullopt;
    reply.headers.push_back("Content-Length: " + std::to_string(reply.body.size()));
    reply.body.resize(2'000'000);
    reply.send_length = false;
    reply.hold = true;
    return reply;
  });
  World world;
  world.close();
  const std::string partial = world.root + "/content/ingest";
  in_doomed_process(
      [&] {
        world.open();
        (void)world.pull(scene.name());
      },
      [&] {
        const auto entries = sys::list_dir(sys::kCwd, partial);
        if (!entries) return false;
        return std::any_of(entries->begin(), entries->end(), [&](const auto& entry) {
          const auto status = sys::stat_at(sys::kCwd, partial + "/" + entry.name);
          return status && status->st_size >= 1'500'000;
        });
      });
  world.open();
  EXPECT_EQ(world.layers(), 0U);
  const auto pulled = world.pull(scene.name());
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_EQ(world.file(scene.name(), "data"), noise(4'000'000));
  const auto requests = scene.registry.server.requests_for(codec::sha256(scene.image.blobs[0]).str());
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_THAT(requests[1].header("range"), testing::StartsWith("bytes="));
}

TEST(Pull, OntoAFullDiskFailsClearlyAndLeavesNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs a mount namespace";
  Scene scene{6'000'000};
  std::string said;
  sys::Pipe pipe = sys::make_pipe().value();
  in_doomed_process(
      [&] {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
          return;
        World world;
        world.close();
        if (::mount("tmpfs", world.root.c_str(), "tmpfs", 0, "size=8m") != 0) return;
        world.open();
        const auto failed = world.pull(scene.name());
        std::string result = failed ? "pulled" : failed.error().message();
        if (!failed && failed.error().errno_value() == ENOSPC) result += "; ENOSPC";
        if (world.layers() == 0 && world.store->list({})->empty()) result += "; nothing";
        (void)sys::write_all(pipe.write.get(), result);
        world.close();
        ::umount2(world.root.c_str(), MNT_DETACH);
      },
      [] { return false; });
  pipe.write.reset();
  said = sys::read_to_end(pipe.read.get()).value();
  EXPECT_THAT(said, HasSubstr("o space left on device; ENOSPC; nothing"));
}

#ifdef CAISSON_FAULTS
class PullCrash : public testing::TestWithParam<const char*> {};

TEST_P(PullCrash, IsHarmless) {
  Scene scene{100'000};
  World world;
  world.close();
  in_doomed_process(
      [&] {
        ::setenv("CAISSON_CRASH_AT", GetParam(), 1);
        world.open();
        (void)world.pull(scene.name());
      },
      [] { return false; });
  world.open();
  // All or nothing.
  const auto listed = world.store->list({});
  ASSERT_TRUE(listed);
  EXPECT_EQ(world.layers(), listed->empty() ? 0U : 2U);
  const auto pulled = world.pull(scene.name());
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_EQ(world.layers(), 2U);
  EXPECT_EQ(world.file(scene.name(), "etc/two"), "2");
  EXPECT_EQ(scene.requests(0), 1U) << "a finished layer was downloaded again";
  ASSERT_TRUE(world.store->remove(scene.name(), false, true, image::testing::Users{}));
  EXPECT_TRUE(world.is_empty());
}

INSTANTIATE_TEST_SUITE_P(Points, PullCrash,
                         testing::Values("image.install.unpacked", "image.install.committed",
                                         "image.commit.blobs", "image.commit.recorded"));
#endif

TEST(Pull, WithoutARegistryTakesTheBuiltInImage) {
  World world;
  const auto image = make_image({{{"bin/sh", "#!"}}});
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, world.root + "/images", 0755));
  {
    // An archive as `save` makes it.
    World maker;
    FakeRegistry registry;
    put(registry, "x", "latest", image);
    ASSERT_TRUE(maker.pull(registry.server.host() + "/x"));
    ASSERT_TRUE(maker.store->tag(registry.server.host() + "/x", "busybox", ""));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, world.root + "/images/busybox.tar",
                                       maker.save({"busybox"}).value()));
  }
  world.close();
  world.options.builtin_path = world.root + "/images";
  world.open();
  // Nothing outside is asked: the way to it is closed.
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);
  Recorder recorder;
  const auto pulled = world.pull("busybox", &recorder);
  const auto again = world.pull("busybox");
  const auto other = world.pull("alpine");
  const auto tag = world.pull("busybox:1.36");
  ::unsetenv("https_proxy");
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_EQ(*pulled, image.id());
  EXPECT_THAT(recorder.lines(),
              Contains(testing::AllOf(
                  testing::StartsWith("Registry unreachable (Get \"https://registry-1.docker.io/v2/\": "),
                  testing::EndsWith("); using the built-in image"))));
  EXPECT_EQ(world.file("busybox", "bin/sh"), "#!");
  // What is here is never replaced by what was built in.
  EXPECT_TRUE(again.failed_as(ErrorKind::Unavailable));
  EXPECT_TRUE(other.failed_as(ErrorKind::Unavailable));
  EXPECT_TRUE(tag.failed_as(ErrorKind::Unavailable));
}

}  // namespace
