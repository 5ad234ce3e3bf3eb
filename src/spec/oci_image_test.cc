#include "spec/oci_image.h"

#include <gtest/gtest.h>

#include "codec/sha256.h"

namespace {

using spec::ImageConfig;
using spec::Index;
using spec::Manifest;
using spec::Platform;

std::string hex(char c) { return std::string(64, c); }
std::string digest(char c) { return "sha256:" + hex(c); }

std::string manifest_text(const std::string& config_type, const std::string& layer_type,
                          const std::string& layer_digest, const std::string& size = "7") {
  return R"({"schemaVersion":2,"config":{"mediaType":")" + config_type + R"(","digest":")" + digest('a') +
         R"(","size":3},"layers":[{"mediaType":")" + layer_type + R"(","digest":")" + layer_digest +
         R"(","size":)" + size + "}]}";
}

TEST(Manifest, ReadsBothForms) {
  const auto oci = Manifest::parse(manifest_text(std::string{spec::media::kOciConfig},
                                                 std::string{spec::media::kOciLayerZstd}, digest('b')));
  ASSERT_TRUE(oci) << oci.error().message();
  EXPECT_EQ(oci->config.digest().hex(), hex('a'));
  ASSERT_EQ(oci->layers.size(), 1U);
  EXPECT_EQ(oci->layers[0].size, 7);
  EXPECT_TRUE(Manifest::parse(manifest_text(std::string{spec::media::kDockerConfig},
                                            std::string{spec::media::kDockerLayerGzip}, digest('b')),
                              spec::media::kDockerManifest));
}

TEST(Manifest, RefusesWhatIsNoImage) {
  const std::string config{spec::media::kOciConfig};
  const std::string layer{spec::media::kOciLayer};
  const auto message = [](const std::string& text, std::string_view type = {}) {
    const auto manifest = Manifest::parse(text, type);
    return manifest ? std::string{} : manifest.error().message();
  };
  EXPECT_NE(message(R"({"schemaVersion":1,"name":"x"})").find("schema 1 is deprecated"), std::string::npos);
  EXPECT_NE(message("{}", spec::media::kDockerSchema1Signed).find("schema 1"), std::string::npos);
  EXPECT_NE(message("[]"), "");
  EXPECT_NE(message("{"), "");
  EXPECT_NE(message(manifest_text(config, layer, "sha256:../../etc/passwd")), "");
  EXPECT_NE(message(manifest_text(config, layer, "md5:" + hex('a'))), "");
  EXPECT_NE(message(manifest_text(config, layer, digest('b'), "-1")).find("negative size"),
            std::string::npos);
  EXPECT_NE(
      message(manifest_text("application/vnd.cncf.helm.config.v1+json", layer, digest('b'))).find("artifact"),
      std::string::npos);
  EXPECT_NE(message(manifest_text(config, "text/html", digest('b'))).find("media type"), std::string::npos);
  EXPECT_NE(message(manifest_text(config, layer, digest('b')), spec::media::kOciIndex).find("media type"),
            std::string::npos);
}

std::string entry(char c, const std::string& os, const std::string& arch, const std::string& variant = {}) {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","size":5,"digest":")" + digest(c) +
         R"(","platform":{"os":")" + os + R"(","architecture":")" + arch + R"(","variant":")" + variant +
         "\"}}";
}

std::string selected(const Index& index, const std::string& platform) {
  const auto* found = index.select(Platform::parse(platform).value());
  return found == nullptr ? "none" : std::string{found->digest().hex().substr(0, 1)};
}

TEST(Index, SelectsByPlatform) {
  const std::string text = R"({"schemaVersion":2,"manifests":[)" + entry('1', "unknown", "unknown") + "," +
                           entry('2', "linux", "arm", "v5") + "," + entry('3', "linux", "arm", "v7") + "," +
                           entry('4', "linux", "amd64") + "," + entry('5', "windows", "amd64") + "," +
                           entry('6', "linux", "arm64", "v8") + "]}";
  const auto index = Index::parse(text);
  ASSERT_TRUE(index) << index.error().message();
  EXPECT_EQ(selected(*index, "linux/amd64"), "4");
  EXPECT_EQ(selected(*index, "linux/arm/v6"), "2");
  EXPECT_EQ(selected(*index, "linux/arm/v7"), "3");
  EXPECT_EQ(selected(*index, "linux/arm64"), "6");
  EXPECT_EQ(selected(*index, "linux/arm64/v8"), "6");
  EXPECT_EQ(selected(*index, "windows/amd64"), "5");
  EXPECT_EQ(selected(*index, "linux/s390x"), "none");
}

TEST(Index, TakesTheHighestVariantThatWasAskedFor) {
  const auto index =
      Index::parse(R"({"schemaVersion":2,"manifests":[)" + entry('2', "linux", "amd64", "v2") + "," +
                   entry('1', "linux", "amd64") + "," + entry('4', "linux", "amd64", "v4") + "]}");
  ASSERT_TRUE(index);
  EXPECT_EQ(selected(*index, "linux/amd64/v2"), "2");
  EXPECT_EQ(selected(*index, "linux/amd64/v3"), "2");
  EXPECT_EQ(selected(*index, "linux/amd64/v4"), "4");
}

TEST(Platform, Parses) {
  EXPECT_EQ(Platform::parse("linux/aarch64")->str(), "linux/arm64");
  EXPECT_EQ(Platform::parse("linux/arm")->str(), "linux/arm/v7");
  EXPECT_EQ(Platform::parse("arm64")->str(), "linux/arm64");
  EXPECT_EQ(Platform::parse("linux")->str(), Platform::host().str());
  EXPECT_EQ(Platform::parse("")->str(), Platform::host().str());
  EXPECT_FALSE(Platform::parse("plan10"));
  EXPECT_FALSE(Platform::parse("linux/"));
  EXPECT_FALSE(Platform::parse("a/b/c/d"));
  EXPECT_FALSE(Platform::parse("linux/a b"));
}

TEST(ImageConfig, KeepsWhatItDoesNotKnow) {
  const auto config =
      ImageConfig::parse(R"({"architecture":"amd64","os":"linux","x-new":{"k":[1,2]},"config":{"Cmd":["sh"],)"
                         R"("Env":["A=b"],"Labels":{"l":"v"}},"rootfs":{"type":"layers","diff_ids":[")" +
                         digest('d') + R"("]},"history":[{"created_by":"x","empty_layer":true}]})");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->config.cmd, (std::vector<std::string>{"sh"}));
  EXPECT_EQ(config->diff_ids().size(), 1U);
  EXPECT_TRUE(config->history.at(0).empty_layer);
  auto changed = *config;
  changed.author = "me";
  const auto json = codec::Json::parse(changed.dump());
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["x-new"]["k"].as_array().size(), 2U);
  EXPECT_EQ((*json)["author"].as_string(), "me");
  EXPECT_EQ((*json)["os"].as_string(), "linux");
}

TEST(ImageConfig, RefusesMalformedOnes) {
  EXPECT_FALSE(ImageConfig::parse("[]"));
  EXPECT_FALSE(ImageConfig::parse("{}"));
  EXPECT_FALSE(ImageConfig::parse(R"({"rootfs":{"type":"layers","diff_ids":["x"]}})"));
  EXPECT_FALSE(ImageConfig::parse(R"({"rootfs":{"type":"weird","diff_ids":[]}})"));
  EXPECT_TRUE(ImageConfig::parse(R"({"config":null,"rootfs":{"type":"layers","diff_ids":null}})"));
}

TEST(ChainIds, AreThoseOfTheSpecification) {
  const auto a = base::Digest::sha256(hex('a'));
  const auto b = base::Digest::sha256(hex('b'));
  const auto chain = spec::chain_ids({a, b});
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0], a);
  EXPECT_EQ(chain[1], codec::sha256(digest('a') + " " + digest('b')));
  EXPECT_TRUE(spec::chain_ids({}).empty());
}

}  // namespace
