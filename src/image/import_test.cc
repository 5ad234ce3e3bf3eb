#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/testing/fixture.h"

namespace {

using base::ErrorKind;
using distribution::testing::FakeReply;
using distribution::testing::FakeRequest;
using distribution::testing::FakeServer;
using image::ImportRequest;
using image::testing::compressed;
using image::testing::layer_tar;
using image::testing::Recorder;
using image::testing::World;
using testing::HasSubstr;

class Import : public ::testing::Test {
 protected:
  base::Result<base::Digest> import(const std::string& archive, ImportRequest request = {}) {
    base::StringSource source{archive};
    return world.store->import(request, &source, recorder, {});
  }
  World world;
  Recorder recorder;
};

TEST_F(Import, MakesAnImageOfATree) {
  ImportRequest request;
  request.comment = "by hand";
  request.config.cmd = {"/bin/sh"};
  request.platform = "linux/arm64";
  request.name = spec::Reference::parse("imported:1").value();
  for (const auto compression : {codec::Compression::None, codec::Compression::Gzip, codec::Compression::Zstd}) {
    const std::string tar = layer_tar({{"etc/name", "value"}});
    const auto id = import(compression == codec::Compression::None ? tar : compressed(tar, compression), request);
    ASSERT_TRUE(id) << id.error().message();
    const auto image = world.store->inspect("imported:1").value();
    EXPECT_EQ(image.id, id->str());
    EXPECT_EQ(image.architecture, "arm64");
    EXPECT_EQ(image.comment, "by hand");
    EXPECT_EQ(image.config.cmd, std::vector<std::string>{"/bin/sh"});
    EXPECT_EQ(image.root_fs.layers, std::vector<std::string>{codec::sha256(tar).str()});
    EXPECT_EQ(world.file("imported:1", "etc/name"), "value");
    const auto history = world.store->history("imported:1").value();
    ASSERT_EQ(history.size(), 1U);
    EXPECT_EQ(history[0].comment, "by hand");
  }
  // The name moved on; the images before have none.
  EXPECT_EQ(world.store->list({.all = false, .filters = {{"reference", {"imported"}}}}).value().size(), 1U);
}

TEST_F(Import, FetchesAnUrl) {
  const std::string tar = layer_tar({{"a", "1"}});
  FakeServer server{[&](const FakeRequest& request) {
    FakeReply reply;
    reply.status = request.path() == "/root.tar.gz" ? 200 : 404;
    reply.body = compressed(tar, codec::Compression::Gzip);
    return reply;
  }};
  ImportRequest request;
  request.source = server.url() + "/root.tar.gz";
  const auto id = world.store->import(request, nullptr, recorder, {});
  ASSERT_TRUE(id) << id.error().message();
  EXPECT_EQ(world.file(id->str(), "a"), "1");
  EXPECT_TRUE(recorder.said("Downloading from " + request.source));
  EXPECT_TRUE(recorder.said(id->str()));
  request.source = server.host() + "/none";  // http is meant
  const auto missing = world.store->import(request, nullptr, recorder, {});
  ASSERT_TRUE(missing.failed_as(ErrorKind::NotFound));
  EXPECT_THAT(missing.error().message(), HasSubstr("status 404"));
}

TEST_F(Import, ABrokenDownloadLeavesNothing) {
  const std::string tar = layer_tar({{"a", image::testing::noise(100'000)}});
  FakeServer server{[&](const FakeRequest&) {
    FakeReply reply;
    reply.body = tar;
    reply.cut_after = tar.size() / 2;
    return reply;
  }};
  ImportRequest request;
  request.source = server.url() + "/root.tar";
  EXPECT_FALSE(world.store->import(request, nullptr, recorder, {}));
  EXPECT_TRUE(world.is_empty());
}

TEST_F(Import, WhatIsNoTreeIsRefusedAndLeavesNothing) {
  const std::string tar = layer_tar({{"a", "1"}});
  for (const std::string& bad : {std::string(2000, 'x'), tar.substr(0, 700), std::string{"BZh91AY&SY"},
                                 std::string{"\xfd" "7zXZ\0\0", 7},
                                 compressed(tar, codec::Compression::Gzip).substr(0, 60)}) {
    EXPECT_TRUE(import(bad).failed_as(ErrorKind::InvalidArgument));
    EXPECT_TRUE(world.is_empty());
  }
  ImportRequest request;
  request.platform = "no/such/platform/x";
  EXPECT_TRUE(import(tar, request).failed_as(ErrorKind::InvalidArgument));
  EXPECT_TRUE(world.is_empty());
}

}  // namespace
