#include "cli/completion/complete.h"

#include <gmock/gmock.h>

#include "cli/completion/scripts.h"

namespace cli {
namespace {

using testing::HasSubstr;

/// With a daemon that is not there.
std::vector<std::string> asked(const std::vector<std::string>& words) {
  GlobalOptions options;
  options.config = "/nonexistent";
  options.hosts = {"unix:///nonexistent/s"};
  Cli cli{"caisson", std::move(options)};
  const auto candidates = complete(cli, words);
  std::vector<std::string> out;
  for (const auto& item : candidates.items) out.push_back(item.text);
  out.push_back(":" + std::to_string(candidates.directive));
  return out;
}

TEST(Complete, KnowsTheCommandsWithoutADaemon) {
  using testing::ElementsAre;
  EXPECT_THAT(asked({"sto"}), ElementsAre("stop", ":4"));
  EXPECT_THAT(asked({"container", "un"}), ElementsAre("unpause", ":4"));
  EXPECT_THAT(asked({"container", "stop", "--ti"}), ElementsAre("--timeout", ":4"));
  EXPECT_THAT(asked({"stop", "-s", "KI"}), ElementsAre("KILL", ":4"));
  EXPECT_THAT(asked({"system", "d"}), ElementsAre("df", ":4"));
}

TEST(Complete, AnythingMayBeTyped) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {""}, {"-"}, {"--"}, {"--="}, {"rm", "--="}, {"rm", "--force="}, {"rm", "-", ""}, {"rm", "--", "-"},
           {"-", ""}, {"", "", ""}, {"run", "-\n", "\t"}, {"help", ""}, {"container", "", ""}}) {
    EXPECT_THAT(asked(words).back(), HasSubstr(":"));
  }
}

TEST(Complete, TheProtocolIsDockers) {
  EXPECT_EQ(protocol_text({.items = {{"a", "first"}, {"b", ""}}, .directive = 6}, true), "a\tfirst\nb\n:6\n");
  EXPECT_EQ(protocol_text({.items = {{"a", "first"}}, .directive = 4}, false), "a\n:4\n");
}

TEST(CompletionScript, NamesTheProgram) {
  EXPECT_THAT(*completion_script("bash", "docker", true), HasSubstr("docker __complete "));
  EXPECT_THAT(*completion_script("zsh", "caisson", false), HasSubstr("caisson __completeNoDesc "));
  EXPECT_FALSE(completion_script("csh", "caisson", true));
}

}  // namespace
}  // namespace cli
