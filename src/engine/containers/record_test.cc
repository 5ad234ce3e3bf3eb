#include "engine/containers/record.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

Record example() {
  Record record;
  record.id = std::string(64, 'a');
  record.name = "web";
  record.created = base::Time{seconds{1'700'000'000}};
  record.image_id = "sha256:1";
  record.config.image = "busybox";
  record.config.cmd = spec::api::StringList{"sh", "-c", "sleep 1"};
  record.host.network_mode = "bridge";
  record.host.resources.memory = 1 << 30;
  record.networks["bridge"].mac_address = "02:42:ac:11:00:02";
  record.mounts.push_back({.type = "volume", .name = "v", .destination = "/data", .anonymous = true});
  record.state = State::Paused;
  record.pid = 77;
  record.started = record.created + seconds{1};
  record.restart_count = 3;
  return record;
}

TEST(Record, ARowIsReadBack) {
  const Record record = example();
  const Record again = from_row(to_row(record)).value();
  EXPECT_EQ(to_row(again), to_row(record));
  EXPECT_EQ(again.state, State::Paused);
  EXPECT_EQ(again.started, record.started);
  EXPECT_FALSE(again.finished);
  EXPECT_EQ(again.mounts.at(0).anonymous, true);
}

TEST(Record, DamagedRowsAreErrors) {
  EXPECT_FALSE(from_row("{"));
  EXPECT_FALSE(from_row("{}"));
  EXPECT_FALSE(from_row(R"({"id":"a","name":"b","state":"flying"})"));
}

TEST(Record, StatusText) {
  Record record = example();
  const base::Time now = *record.started + minutes{3};
  EXPECT_EQ(status_text(record, now), "Up 3 minutes (Paused)");
  record.state = State::Running;
  EXPECT_EQ(status_text(record, now), "Up 3 minutes");
  EXPECT_EQ(status_text(record, now, "starting"), "Up 3 minutes (health: starting)");
  EXPECT_EQ(status_text(record, now, "healthy"), "Up 3 minutes (healthy)");
  record.finished = now - seconds{2};
  record.exit_code = 3;
  record.state = State::Restarting;
  EXPECT_EQ(status_text(record, now), "Restarting (3) 2 seconds ago");
  record.state = State::Exited;
  EXPECT_EQ(status_text(record, now), "Exited (3) 2 seconds ago");
  record.state = State::Created;
  EXPECT_EQ(status_text(record, now), "Created");
  record.state = State::Removing;
  EXPECT_EQ(status_text(record, now), "Removal In Progress");
  record.state = State::Dead;
  EXPECT_EQ(status_text(record, now), "Dead");
}

TEST(Record, StateForInspect) {
  const auto state = state_of(example());
  EXPECT_EQ(state.status, "paused");
  EXPECT_TRUE(state.running);
  EXPECT_TRUE(state.paused);
  EXPECT_EQ(state.pid, 77);
  EXPECT_EQ(state.finished_at, "0001-01-01T00:00:00Z");
}

TEST(Record, CommandText) { EXPECT_EQ(command_text(example().config), "sh -c 'sleep 1'"); }

TEST(Record, RestartPolicies) {
  Record record = example();
  record.state = State::Exited;
  const auto with = [&](const char* policy, std::int64_t retries = 0) -> Record& {
    record.host.restart_policy = {policy, retries};
    return record;
  };
  EXPECT_FALSE(restarts_after_exit(with("no"), 1));
  EXPECT_FALSE(restarts_after_exit(with(""), 1));
  EXPECT_TRUE(restarts_after_exit(with("always"), 0));
  EXPECT_TRUE(restarts_after_exit(with("unless-stopped"), 0));
  EXPECT_FALSE(restarts_after_exit(with("on-failure"), 0));
  EXPECT_TRUE(restarts_after_exit(with("on-failure"), 1));
  EXPECT_TRUE(restarts_after_exit(with("on-failure", 4), 1));
  EXPECT_FALSE(restarts_after_exit(with("on-failure", 3), 1)) << "three restarts were made already";
  record.stopped_by_client = true;
  EXPECT_FALSE(restarts_after_exit(with("always"), 1)) << "a client's stop holds against every policy";

  EXPECT_TRUE(restarts_with_daemon(with("always"))) << "always comes back with the daemon even then";
  EXPECT_FALSE(restarts_with_daemon(with("unless-stopped")));
  record.stopped_by_client = false;
  EXPECT_TRUE(restarts_with_daemon(with("unless-stopped")));
  EXPECT_FALSE(restarts_with_daemon(with("on-failure")));
  record.state = State::Created;
  EXPECT_FALSE(restarts_with_daemon(with("always"))) << "never started";
}

}  // namespace
}  // namespace engine
