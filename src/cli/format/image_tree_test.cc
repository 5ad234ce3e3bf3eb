#include "cli/format/image_tree.h"

#include <gtest/gtest.h>

namespace {

spec::api::ManifestSummary platform(const std::string& digit, const spec::Platform& is, std::int64_t total, bool used) {
  spec::api::ManifestSummary manifest;
  manifest.id = "sha256:" + std::string(64, digit[0]);
  manifest.kind = "image";
  manifest.size = {.content = total / 3, .total = total};
  auto& image = manifest.image.emplace();
  image.platform = is;
  if (used) image.containers = {"c0ffee"};
  return manifest;
}

TEST(ImageTree, ShowsNamesAndPlatforms) {
  spec::api::ImageSummary nameless;
  nameless.id = "sha256:" + std::string(64, '1');
  nameless.size = 1000;
  spec::api::ImageSummary image;
  image.id = "sha256:" + std::string(64, 'a');
  image.repo_tags = {"alpine:3", "alpine:latest"};
  image.size = 13'600'000;
  spec::api::ManifestSummary attestation;
  attestation.kind = "attestation";
  image.manifests = {platform("b", {"amd64", "linux", {}, {}, {}}, 12'000'000, true),
                     platform("c", {"arm64", "linux", {}, "v8", {}}, 0, false), attestation};
  EXPECT_EQ(cli::image_tree({nameless, image}, 0, false),
            "                                                   Info ->  U In Use\n"
            "\n"
            "IMAGE               ID             DISK USAGE   CONTENT SIZE   EXTRA\n"
            "alpine:3\n"
            "alpine:latest       aaaaaaaaaaaa       13.6MB            4MB    U   \n"
            "├─ linux/amd64      bbbbbbbbbbbb         12MB            4MB    U   \n"
            "└─ linux/arm64/v8   cccccccccccc           0B             0B        \n"
            "\n");
  const auto all = cli::image_tree({nameless, image}, 0, true);
  EXPECT_NE(all.find("<untagged>          111111111111"), std::string::npos) << all;
}

TEST(ImageTree, CutsLongNames) {
  spec::api::ImageSummary image;
  image.id = "sha256:" + std::string(64, 'a');
  image.repo_tags = {"registry.example.com:5000/some/very/long/name:tag"};
  EXPECT_NE(cli::image_tree({image}, 80, false).find("registry.example.com:5000/so…   aaaaaaaaaaaa"), std::string::npos);
}

}  // namespace
