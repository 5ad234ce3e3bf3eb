#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/detail/archive.h"
#include "image/testing/fixture.h"

namespace {

using base::ErrorKind;
using distribution::testing::FakeRegistry;
using image::testing::compressed;
using image::testing::Files;
using image::testing::layer_tar;
using image::testing::make_image;
using image::testing::noise;
using image::testing::Recorder;
using image::testing::TestImage;
using image::testing::World;
using testing::HasSubstr;

std::string blob_path(const std::string& bytes) {
  return "blobs/sha256/" + std::string{codec::sha256(bytes).hex()};
}

/// An OCI layout; `name` as skopeo writes it.
Files layout_of(const TestImage& image, const std::string& name) {
  Files files;
  files["oci-layout"] = R"({"imageLayoutVersion":"1.0.0"})";
  for (const auto& blob : image.blobs) files[blob_path(blob)] = blob;
  files[blob_path(image.config)] = image.config;
  files[blob_path(image.manifest)] = image.manifest;
  spec::Index index;
  auto descriptor = spec::Descriptor::of(image.media_type, image.digest(), image.manifest.size());
  if (!name.empty()) descriptor.annotations["org.opencontainers.image.ref.name"] = name;
  index.manifests.push_back(descriptor);
  files["index.json"] = index.dump();
  return files;
}

/// A docker archive as podman and older dockers write it: layers as <name>.tar, uncompressed.
Files docker_archive_of(const TestImage& image, const std::vector<std::string>& tags) {
  Files files;
  codec::Json layers{codec::Json::Array{}};
  for (const auto& tar : image.tars) {
    const std::string path = std::string{codec::sha256(tar).hex()} + ".tar";
    files[path] = tar;
    layers.push(path);
  }
  const std::string config = std::string{image.id().hex()} + ".json";
  files[config] = image.config;
  codec::Json names{codec::Json::Array{}};
  for (const auto& tag : tags) names.push(tag);
  const auto entry = codec::Json::object(
      {{"Config", config}, {"RepoTags", std::move(names)}, {"Layers", std::move(layers)}});
  files["manifest.json"] = codec::Json::array({entry}).dump();
  return files;
}

TestImage two_layers() { return make_image({{{"a", "1"}, {"data", noise(200'000)}}, {{"b", "2"}}}); }

TEST(Load, TakesADockerArchive) {
  World world;
  const auto image = two_layers();
  Recorder recorder;
  const auto loaded = world.load(layer_tar(docker_archive_of(image, {"x:1", "me/y:2"})), &recorder);
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_EQ(loaded->size(), 1U);
  EXPECT_EQ(loaded->at(0).id, image.id());
  EXPECT_EQ(loaded->at(0).tags, (std::vector<std::string>{"x:1", "me/y:2"}));
  EXPECT_TRUE(recorder.said("Loaded image: x:1\n"));
  EXPECT_TRUE(recorder.said("Loaded image: me/y:2\n"));
  EXPECT_TRUE(recorder.said(codec::sha256(image.tars[0]).short_hex() + ": Loading layer"));
  EXPECT_EQ(world.file("x:1", "a"), "1");
  EXPECT_EQ(world.file("me/y:2", "b"), "2");
}

TEST(Load, TakesAnOciArchiveInAnyCompression) {
  const auto image = make_image({{{"a", "1"}}, {{"b", "2"}}}, {.compression = codec::Compression::Zstd});
  const std::string archive = layer_tar(layout_of(image, "docker.io/library/x:1"));
  for (const auto compression :
       {codec::Compression::None, codec::Compression::Gzip, codec::Compression::Zstd}) {
    World world;
    const auto loaded =
        world.load(compression == codec::Compression::None ? archive : compressed(archive, compression));
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(loaded->at(0).id, image.id());
    EXPECT_EQ(loaded->at(0).tags, std::vector<std::string>{"x:1"});
    EXPECT_EQ(world.file("x:1", "b"), "2");
  }
}

TEST(Load, WithoutANameGoesByItsId) {
  World world;
  const auto image = two_layers();
  Recorder recorder;
  ASSERT_TRUE(world.load(layer_tar(layout_of(image, "latest")), &recorder));
  EXPECT_TRUE(recorder.said("Loaded image ID: " + image.id().str() + "\n"));
  EXPECT_EQ(world.store->get(image.id().short_hex())->id, image.id());
}

TEST(Load, AgainKeepsOneOfEach) {
  World world;
  const auto image = two_layers();
  const std::string archive = layer_tar(docker_archive_of(image, {"x:1"}));
  ASSERT_TRUE(world.load(archive));
  const auto blobs = world.blobs();
  ASSERT_TRUE(world.load(archive));
  // The same content compressed brings no second copy.
  ASSERT_TRUE(world.load(layer_tar(layout_of(image, "x:2"))));
  EXPECT_EQ(world.blobs(), blobs);
  EXPECT_EQ(world.layers(), 2U);
  EXPECT_EQ(world.store->list({})->size(), 1U);
}

TEST(Load, MovesANameFromAnotherImage) {
  World world;
  const auto old = two_layers();
  const auto newer = make_image({{{"c", "3"}}});
  ASSERT_TRUE(world.load(layer_tar(docker_archive_of(old, {"x:1"}))));
  Recorder recorder;
  ASSERT_TRUE(world.load(layer_tar(docker_archive_of(newer, {"x:1"})), &recorder));
  EXPECT_TRUE(recorder.said("The image x:1 already exists, renaming the old one with ID " + old.id().str() +
                            " to empty string\n"));
  EXPECT_EQ(world.store->get("x:1")->id, newer.id());
}

TEST(Load, FollowsTheLinksOfOlderDockers) {
  World world;
  // Two equal layers: docker wrote the second as a symlink to the first.
  const auto image = make_image({{{"a", "1"}}, {{"a", "1"}}});
  base::StringSink sink;
  codec::TarWriter tar{sink};
  const auto add = [&](const std::string& path, const std::string& content) {
    codec::TarEntry entry;
    entry.path = path;
    entry.size = content.size();
    ASSERT_TRUE(tar.add(entry));
    ASSERT_TRUE(tar.write(content));
  };
  add("one/layer.tar", image.tars[0]);
  codec::TarEntry link;
  link.path = "two/layer.tar";
  link.type = codec::TarType::Symlink;
  link.link_target = "../one/layer.tar";
  ASSERT_TRUE(tar.add(link));
  add("c.json", image.config);
  add("manifest.json",
      R"([{"Config":"c.json","RepoTags":["x:1"],"Layers":["one/layer.tar","two/layer.tar"]}])");
  ASSERT_TRUE(tar.finish());
  const auto loaded = world.load(sink.text);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->at(0).id, image.id());
  EXPECT_EQ(world.layers(), 2U);
}

TEST(Load, TakesArchivesFromBeforeManifests) {
  World world;
  const auto image = two_layers();
  const Files files = {
      {"repositories", R"({"old/app":{"1":"top"}})"},
      {"top/json",
       R"({"id":"top","parent":"base","created":"2015-01-01T00:00:00Z","architecture":"amd64","os":"linux",)"
       R"("config":{"Cmd":["/run"]},"container_config":{"Cmd":["/bin/sh","-c","x"]}})"},
      {"top/layer.tar", image.tars[1]},
      {"base/json", R"({"id":"base","created":"2014-01-01T00:00:00Z","os":"linux"})"},
      {"base/layer.tar", image.tars[0]}};
  const auto loaded = world.load(layer_tar(files));
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->at(0).tags, std::vector<std::string>{"old/app:1"});
  EXPECT_EQ(world.file("old/app:1", "a"), "1");
  EXPECT_EQ(world.file("old/app:1", "b"), "2");
  EXPECT_EQ(world.store->get("old/app:1")->config.config.cmd, std::vector<std::string>{"/run"});
  EXPECT_EQ(world.store->history("old/app:1")->at(0).created_by, "/bin/sh -c x");
}

TEST(Load, RefusesWhatIsNoImageAndKeepsNothing) {
  const auto image = two_layers();
  auto wrong_layer = docker_archive_of(image, {"x:1"});
  wrong_layer[std::string{codec::sha256(image.tars[1]).hex()} + ".tar"] = image.tars[0];
  auto wrong_blob = layout_of(image, "x:1");
  wrong_blob[blob_path(image.blobs[0])] = image.blobs[1];
  auto wrong_config = layout_of(image, "x:1");
  wrong_config[blob_path(image.config)] += " ";
  auto no_layer = docker_archive_of(image, {"x:1"});
  no_layer.erase(std::string{codec::sha256(image.tars[1]).hex()} + ".tar");
  auto bad_tag = docker_archive_of(image, {"X:1"});
  const std::string good = layer_tar(docker_archive_of(image, {"x:1"}));
  const std::vector<std::pair<std::string, std::string>> cases = {
      {layer_tar({{"hello", "world"}}), "does not contain a manifest.json"},
      {layer_tar(wrong_layer), "invalid diffID for layer 1"},
      {layer_tar(wrong_blob), "digest mismatch"},
      {layer_tar(wrong_config), "no config"},
      {layer_tar(no_layer), "no layer"},
      {layer_tar(bad_tag), "must be lowercase"},
      {good.substr(0, good.size() / 2), ""},
      {compressed(good, codec::Compression::Gzip).substr(0, 100'000), ""},
      {"this is no tar at all", ""},
      {std::string(1000, 'x'), ""},
      {"", ""},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    World world;
    const auto loaded = world.load(cases[i].first);
    ASSERT_FALSE(loaded) << "case " << i;
    EXPECT_TRUE(loaded.error().is(ErrorKind::InvalidArgument))
        << "case " << i << ": " << loaded.error().message();
    EXPECT_THAT(loaded.error().message(), HasSubstr(cases[i].second)) << "case " << i;
    EXPECT_TRUE(world.is_empty()) << "case " << i;
  }
}

TEST(Save, LoadsElsewhereAsTheSame) {
  World world;
  const auto one = two_layers();
  const auto two = make_image({{{"a", "1"}, {"data", noise(200'000)}}, {{"c", "3"}}});
  FakeRegistry registry;
  put(registry, "one", "latest", one);
  put(registry, "two", "latest", two);
  ASSERT_TRUE(world.pull(registry.server.host() + "/one"));
  ASSERT_TRUE(world.pull(registry.server.host() + "/two"));
  ASSERT_TRUE(world.store->tag(registry.server.host() + "/one", "one", "a"));
  ASSERT_TRUE(world.store->tag(registry.server.host() + "/one", "one", "b"));
  const auto archive = world.save({"one", two.id().str()});
  ASSERT_TRUE(archive) << archive.error().message();
  EXPECT_EQ(*archive, world.save({"one", two.id().str()}).value()) << "equal images make equal archives";

  World other;
  const auto loaded = other.load(*archive);
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_EQ(loaded->size(), 2U);
  EXPECT_EQ(loaded->at(0).tags, (std::vector<std::string>{"one:a", "one:b"}));
  EXPECT_TRUE(loaded->at(1).tags.empty());
  EXPECT_EQ(other.layers(), 3U);
  EXPECT_EQ(other.file("one:b", "b"), "2");
  EXPECT_EQ(other.file(two.id().str(), "c"), "3");
  // The manifest came along, so that a digest stays what it is.
  EXPECT_TRUE(other.content->has(one.digest()).value());
  EXPECT_EQ(other.save({"one"}).value(), world.save({"one"}).value());
}

TEST(Save, WritesNothingWhenAnImageIsMissing) {
  World world;
  ASSERT_TRUE(world.load(layer_tar(docker_archive_of(two_layers(), {"x:1"}))));
  base::StringSink sink;
  const auto saved = world.store->save({"x:1", "y"}, sink);
  ASSERT_TRUE(saved.failed_as(ErrorKind::NotFound));
  EXPECT_EQ(saved.error().message(), "No such image: y:latest");
  EXPECT_EQ(sink.text, "");
}

TEST(Save, AfterTheSameContentCameInTwoForms) {
  World world;
  const auto image = two_layers();
  ASSERT_TRUE(world.load(layer_tar(docker_archive_of(image, {"x:1"}))));  // plain layers are kept
  FakeRegistry registry;
  put(registry, "x", "latest", image);  // gzip there
  Recorder recorder;
  ASSERT_TRUE(world.pull(registry.server.host() + "/x", &recorder));
  World other;
  const auto loaded = other.load(world.save({"x:1"}).value());
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->at(0).id, image.id());
}

TEST(CleanPath, IsAKey) {
  using image::detail::clean_path;
  EXPECT_EQ(clean_path("./a//b/../c"), "a/c");
  EXPECT_EQ(clean_path("../../etc"), "etc");
  EXPECT_EQ(clean_path("/a/."), "a");
  EXPECT_EQ(clean_path(""), "");
}

}  // namespace
