#include "cli/config.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/strings.h"
#include "sys/file.h"

namespace cli {
namespace {

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = "/tmp/cli-config-XXXXXX";
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, directory_)); }
  Config load(const std::string& text) {
    EXPECT_TRUE(sys::write_file_atomic(sys::kCwd, directory_ + "/config.json", text));
    auto config = Config::load(directory_);
    EXPECT_TRUE(config);
    return *config;
  }
  std::string directory_;
};

TEST_F(ConfigTest, AMissingFileIsEmpty) {
  const auto config = Config::load(directory_ + "/nowhere");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->text("psFormat"), "");
  EXPECT_FALSE(*config->credentials("docker.io"));
}

TEST_F(ConfigTest, ABrokenFileIsNamed) {
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, directory_ + "/config.json", "{"));
  const auto config = Config::load(directory_);
  ASSERT_FALSE(config);
  EXPECT_TRUE(config.error().message().starts_with("parsing config file (" + directory_ + "/config.json): "))
      << config.error().message();
}

TEST_F(ConfigTest, KeepsWhatItDoesNotKnow) {
  auto config = load(R"({"later": {"a": [1, null]}, "currentContext": "x", "psFormat": "y"})");
  config.set("currentContext", {});
  config.set("new", codec::Json::object({{"k", "v"}}));
  ASSERT_TRUE(config.save());
  const auto text = sys::read_file(sys::kCwd, directory_ + "/config.json");
  EXPECT_EQ(*text,
            "{\n\t\"later\": {\n\t\t\"a\": [\n\t\t\t1,\n\t\t\tnull\n\t\t]\n\t},\n\t\"psFormat\": \"y\",\n"
            "\t\"new\": {\n\t\t\"k\": \"v\"\n\t}\n}");
}

TEST_F(ConfigTest, ANewFileIsTheUsersOwn) {
  Config config{directory_ + "/new/folder"};
  config.set("a", "b");
  ASSERT_TRUE(config.save());
  EXPECT_EQ((sys::stat_at(sys::kCwd, directory_ + "/new/folder/config.json")->st_mode & 0777U), 0600U);
  EXPECT_EQ(Config::load(directory_ + "/new/folder")->text("a"), "b");
}

TEST_F(ConfigTest, ProxiesOfADaemonGoBeforeThoseOfAll) {
  const auto config = load(R"({"proxies": {"default": {"httpProxy": "d", "noProxy": "n"}, "tcp://h": {"ftpProxy": "f"}}})");
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(config.proxy_environment("unix:///x"),
            (Map{{"HTTP_PROXY", "d"}, {"http_proxy", "d"}, {"NO_PROXY", "n"}, {"no_proxy", "n"}}));
  EXPECT_EQ(config.proxy_environment("tcp://h"), (Map{{"FTP_PROXY", "f"}, {"ftp_proxy", "f"}}));
  EXPECT_TRUE(load("{}").proxy_environment("x").empty());
}

TEST_F(ConfigTest, DecodesAuths) {
  const auto config = load(R"({"psFormat": "{{.ID}}", "auths": {
    "https://index.docker.io/v1/": {"auth": ")" +
                           base::base64("me:se:cret") + R"("},
    "registry:5000": {"identitytoken": "tok"}, "empty": {}}})");
  EXPECT_EQ(config.text("psFormat"), "{{.ID}}");
  const auto hub = *config.credentials("https://index.docker.io/v1/");
  ASSERT_TRUE(hub);
  EXPECT_EQ(hub->username, "me");
  EXPECT_EQ(hub->password, "se:cret");
  const auto local = *config.credentials("registry:5000");
  ASSERT_TRUE(local);
  EXPECT_EQ(local->identity_token, "tok");
  EXPECT_FALSE(*config.credentials("empty"));
  EXPECT_FALSE(*config.credentials("other"));
}

TEST_F(ConfigTest, AsksTheHelperOfARegistry) {
  const std::string program = directory_ + "/docker-credential-fake";
  ASSERT_TRUE(
      sys::write_file_atomic(sys::kCwd, program,
                             "#!/bin/sh\nread server\n[ \"$1\" = get ] || exit 2\n[ \"$server\" = has.it ] "
                             "|| { echo credentials not found; "
                             "exit 1; }\nprintf '{\"Username\": \"u\", \"Secret\": \"s %s\"}' \"$server\"\n",
                             0755));
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(::setenv("PATH", (directory_ + ":" + path).c_str(), 1), 0);
  const auto config = load(R"({"credHelpers": {"has.it": "fake", "has.not": "fake", "odd": "missing"}})");
  const auto found = config.credentials("has.it");
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->username, "u");
  EXPECT_EQ((*found)->password, "s has.it");
  const auto none = config.credentials("has.not");
  ASSERT_TRUE(none) << none.error().message();
  EXPECT_FALSE(*none);
  EXPECT_TRUE(config.credentials("odd").failed_as(base::ErrorKind::NotFound));
  ASSERT_EQ(::setenv("PATH", path.c_str(), 1), 0);
}

}  // namespace
}  // namespace cli
