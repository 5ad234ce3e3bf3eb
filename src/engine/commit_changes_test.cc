#include "engine/commit_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace engine {
namespace {

using testing::ElementsAre;

spec::api::ContainerConfig changed(const std::vector<std::string>& changes, spec::api::ContainerConfig config = {}) {
  const auto done = apply_changes(config, changes);
  EXPECT_TRUE(done) << done.error().message();
  return config;
}

std::string error_of(const std::string& change) {
  spec::api::ContainerConfig config;
  const auto done = apply_changes(config, {change});
  return done ? "(none)" : done.error().message();
}

TEST(CommitChanges, CommandsHaveTwoForms) {
  const auto config = changed({"cmd echo  \"a b\"", "ENTRYPOINT [\"/x\", \"y z\"]"});
  EXPECT_THAT(*config.cmd, ElementsAre("/bin/sh", "-c", "echo  \"a b\""));
  EXPECT_THAT(*config.entrypoint, ElementsAre("/x", "y z"));
}

TEST(CommitChanges, PairsQuotesAndVariables) {
  const auto config = changed({"ENV A=1 B=\"two words\" C='$A'", "ENV D ${A}:$B ${NO:-none}", "ENV A=3", "LABEL k=\"v w\" l=m\\ n"});
  EXPECT_THAT(*config.env, ElementsAre("B=two words", "C=$A", "D=1:two words none", "A=3"));
  EXPECT_EQ(config.labels->at("k"), "v w");
  EXPECT_EQ(config.labels->at("l"), "m n");
}

TEST(CommitChanges, PlacesAndPorts) {
  const auto config = changed({"WORKDIR /a/b", "WORKDIR ../c", "USER www:www", "EXPOSE 80 53/udp 90-92", "VOLUME /x /y",
                               "VOLUME [\"/z z\"]", "STOPSIGNAL SIGUSR1", "ONBUILD RUN x"});
  EXPECT_EQ(config.working_dir, "/a/c");
  EXPECT_EQ(config.user, "www:www");
  EXPECT_EQ(config.exposed_ports->size(), 5U);
  EXPECT_TRUE(config.exposed_ports->contains("53/udp"));
  EXPECT_TRUE(config.volumes->contains("/z z"));
  EXPECT_EQ(config.volumes->size(), 3U);
  EXPECT_EQ(config.stop_signal, "SIGUSR1");
  EXPECT_THAT(*config.on_build, ElementsAre("RUN x"));
}

TEST(CommitChanges, HealthChecks) {
  const auto health = changed({"HEALTHCHECK --interval=1m30s --retries=3 --timeout=500ms CMD test -e /x"}).healthcheck.value();
  EXPECT_THAT(health.test, ElementsAre("CMD-SHELL", "test -e /x"));
  EXPECT_EQ(health.interval, 90'000'000'000);
  EXPECT_EQ(health.timeout, 500'000'000);
  EXPECT_EQ(health.retries, 3);
  EXPECT_THAT(changed({"HEALTHCHECK CMD [\"a\", \"b\"]"}).healthcheck->test, ElementsAre("CMD", "a", "b"));
  EXPECT_THAT(changed({"HEALTHCHECK NONE"}).healthcheck->test, ElementsAre("NONE"));
}

TEST(CommitChanges, WhatIsWrongIsSaid) {
  EXPECT_EQ(error_of("RUN x"), "run is not a valid change command");
  EXPECT_EQ(error_of("FOO x"), "dockerfile parse error on line 1: unknown instruction: FOO");
  EXPECT_EQ(error_of("CMD"), "dockerfile parse error on line 1: CMD requires at least one argument");
  EXPECT_EQ(error_of("ENV A"), "ENV must have two arguments");
  EXPECT_EQ(error_of("ENV A=1 B"), "Syntax error - can't find = in \"B\". Must be of the form: name=value");
  EXPECT_EQ(error_of("ONBUILD FROM x"), "FROM isn't allowed as an ONBUILD trigger");
  EXPECT_EQ(error_of("EXPOSE x"), "invalid containerPort: x");
  EXPECT_EQ(error_of("HEALTHCHECK --interval=1x CMD y"), "time: invalid duration \"1x\"");
  EXPECT_EQ(error_of("USER \"x"), "unexpected end of statement while looking for matching double-quote");
  EXPECT_NE(error_of("STOPSIGNAL NOPE"), "(none)");
}

}  // namespace
}  // namespace engine
