#include "sys/overlay.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>

#include "sys/file.h"

namespace sys {
namespace {

using base::Result;

class OverlayTest : public testing::TestWithParam<Result<UniqueFd> (*)(const OverlayLayers&)> {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "mounting needs root";
    std::string name = testing::TempDir() + "/caisson-overlay-XXXXXX";
    dir_ = ::mkdtemp(name.data());
  }
  void TearDown() override {
    if (!dir_.empty()) {
      EXPECT_TRUE(remove_tree(kCwd, dir_));
    }
  }
  /// `count` layers, the topmost first, each with a file "f" that names it and one of its own.
  OverlayLayers stack(int count, const std::string& in) {
    OverlayLayers overlay;
    for (int i = 0; i < count; ++i) {
      const std::string layer = fmt::format("{}/{}{}/fs", dir_, in, i);
      EXPECT_TRUE(make_dirs(kCwd, layer, 0755));
      EXPECT_TRUE(write_file_atomic(kCwd, layer + "/f", std::to_string(i)));
      EXPECT_TRUE(write_file_atomic(kCwd, fmt::format("{}/f{}", layer, i), std::to_string(i)));
      overlay.lowers.push_back(layer);
    }
    return overlay;
  }
  void make_writable(OverlayLayers& overlay) {
    overlay.upper = dir_ + "/up,per:\\/fs";
    overlay.work = dir_ + "/up,per:\\/work";
    EXPECT_TRUE(make_dirs(kCwd, overlay.upper, 0755));
    EXPECT_TRUE(make_dirs(kCwd, overlay.work, 0755));
  }

  std::string dir_;
};

INSTANTIATE_TEST_SUITE_P(
    Ways, OverlayTest,
    testing::Values(&make_overlay, &detail::make_overlay_by_layer, &detail::make_overlay_in_one_string),
    [](const auto& way) {
      return std::string{way.index == 0 ? "choice" : way.index == 1 ? "by_layer" : "one_string"};
    });

TEST_P(OverlayTest, ManyLayersAndAnUpper) {
  OverlayLayers overlay = stack(150, "");
  make_writable(overlay);
  overlay.options = {"index=off", "metacopy=off"};
  const auto mount = GetParam()(overlay);
  ASSERT_TRUE(mount) << mount.error().message();
  EXPECT_EQ(read_file(mount->get(), "f").value(), "0") << "the first one is on top";
  EXPECT_EQ(read_file(mount->get(), "f149").value(), "149");
  ASSERT_TRUE(write_file_atomic(mount->get(), "new", "x"));
  EXPECT_EQ(read_file(kCwd, overlay.upper + "/new").value(), "x");
}

TEST_P(OverlayTest, ReadOnlyWithoutAnUpper) {
  const auto mount = GetParam()(stack(2, ""));
  ASSERT_TRUE(mount) << mount.error().message();
  EXPECT_EQ(read_file(mount->get(), "f1").value(), "1");
  EXPECT_FALSE(write_file_atomic(mount->get(), "new", "x"));
}

TEST_P(OverlayTest, OddNames) {
  OverlayLayers overlay = stack(3, "a:b,c\\d");
  make_writable(overlay);
  const auto mount = GetParam()(overlay);
  ASSERT_TRUE(mount) << mount.error().message();
  EXPECT_EQ(read_file(mount->get(), "f2").value(), "2");
}

TEST_P(OverlayTest, LongNames) {
  OverlayLayers overlay = stack(3, std::string(200, 'x') + "/" + std::string(200, 'y') + "/");
  const auto mount = GetParam()(overlay);
  ASSERT_TRUE(mount) << mount.error().message();
  EXPECT_EQ(read_file(mount->get(), "f2").value(), "2");
}

TEST_P(OverlayTest, WhatCanNotBeIsAnError) {
  OverlayLayers overlay = stack(2, "");
  overlay.lowers.push_back(dir_ + "/missing");
  EXPECT_TRUE(GetParam()(overlay).failed_as(base::ErrorKind::NotFound));
  OverlayLayers proc = stack(1, "");
  proc.upper = proc.work = "/proc";
  EXPECT_FALSE(GetParam()(proc));
  OverlayLayers odd = stack(2, "");
  odd.options = {"nonsense=1"};
  EXPECT_FALSE(GetParam()(odd));
}

}  // namespace
}  // namespace sys
