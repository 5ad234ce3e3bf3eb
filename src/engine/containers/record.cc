#include "engine/containers/record.h"

#include "base/strings.h"
#include "engine/config_merge.h"

namespace engine {
namespace {

struct RowState {
  std::string name;
  std::int64_t created = 0;
  std::optional<std::int64_t> started, finished;
};

std::optional<std::int64_t> to_nanoseconds(const std::optional<base::Time>& time) {
  return time ? std::optional{static_cast<std::int64_t>(time->time_since_epoch().count())} : std::nullopt;
}
std::optional<base::Time> to_time(const std::optional<std::int64_t>& nanoseconds) {
  return nanoseconds ? std::optional{base::Time{std::chrono::nanoseconds{*nanoseconds}}} : std::nullopt;
}

struct Row {
  Record record;
  RowState state;
};
void describe(auto& v, Row& row) {
  Record& r = row.record;
  v("id", r.id);
  v("name", r.name);
  v("created", row.state.created);
  v("image", r.image_id);
  v("snapshotter", r.snapshotter);
  v("platform", r.platform);
  v("config", r.config);
  v("host", r.host);
  v("networks", r.networks);
  v("mounts", r.mounts);
  v.opt("links", r.links);
  v("state", row.state.name);
  v.opt("pid", r.pid);
  v("exitCode", r.exit_code);
  v.opt("oomKilled", r.oom_killed);
  v.opt("error", r.error);
  v.opt("started", row.state.started);
  v.opt("finished", row.state.finished);
  v.opt("restartCount", r.restart_count);
  v.opt("stoppedByClient", r.stopped_by_client);
  v.opt("health", r.health);
  v.opt("endingUnhealthy", r.ending_unhealthy);
}

std::string ago(base::Time now, base::Time then) { return base::human_duration(now - then) + " ago"; }

}  // namespace

std::string to_row(const Record& record) {
  Row row{record, {std::string{name_of(record.state)}, record.created.time_since_epoch().count(),
                   to_nanoseconds(record.started), to_nanoseconds(record.finished)}};
  return codec::to_json(row).dump();
}

base::Result<Record> from_row(std::string_view text) {
  Row row = TRY(codec::from_json_text<Row>(text));
  Record& record = row.record;
  record.state = TRY(parse_state(row.state.name));
  record.created = base::Time{std::chrono::nanoseconds{row.state.created}};
  record.started = to_time(row.state.started);
  record.finished = to_time(row.state.finished);
  if (record.id.empty() || record.name.empty()) return base::invalid("a container's record has no id or name");
  return std::move(record);
}

std::string status_text(const Record& record, base::Time now, std::string_view health) {
  const std::string code = "(" + std::to_string(record.exit_code) + ") ";
  const auto up = [&] { return "Up " + base::human_duration(now - record.started.value_or(now)); };
  switch (record.state) {
    case State::Created: return "Created";
    case State::Running:
      if (health == "starting") return up() + " (health: starting)";
      return health.empty() || health == "none" ? up() : up() + " (" + std::string{health} + ")";
    case State::Paused: return up() + " (Paused)";
    case State::Restarting: return "Restarting " + code + ago(now, record.finished.value_or(now));
    case State::Removing: return "Removal In Progress";
    case State::Dead: return "Dead";
    case State::Exited: return record.finished ? "Exited " + code + ago(now, *record.finished) : "Exited " + code;
  }
  return {};
}

spec::api::ContainerState state_of(const Record& record) {
  const auto text = [](const std::optional<base::Time>& time) {
    return time ? base::to_rfc3339(*time) : std::string{base::kNever};
  };
  spec::api::ContainerState state;
  state.status = name_of(record.state);
  state.running = counts_as_running(record.state);
  state.paused = record.state == State::Paused;
  state.restarting = record.state == State::Restarting;
  state.dead = record.state == State::Dead;
  state.oom_killed = record.oom_killed;
  state.pid = has_process(record.state) ? record.pid : 0;
  state.exit_code = record.exit_code;
  state.error = record.error;
  state.started_at = text(record.started);
  state.finished_at = text(record.finished);
  state.health = record.health;
  return state;
}

std::string command_text(const spec::api::ContainerConfig& config) {
  std::string text;
  for (const std::string& argument : command_line(config)) {
    if (!text.empty()) text += ' ';
    text += argument.find(' ') == std::string::npos ? argument : "'" + argument + "'";
  }
  return text;
}

bool restarts_after_exit(const Record& record, std::int64_t exit_code) {
  const spec::api::RestartPolicy& policy = record.host.restart_policy;
  if (record.stopped_by_client || record.host.auto_remove) return false;
  if (record.ending_unhealthy) return true;
  if (policy.name == "always" || policy.name == "unless-stopped") return true;
  return policy.name == "on-failure" && exit_code != 0 &&
         (policy.maximum_retry_count == 0 || record.restart_count < policy.maximum_retry_count);
}

bool restarts_with_daemon(const Record& record) {
  if (record.host.auto_remove || record.state == State::Created || record.state == State::Removing ||
      record.state == State::Dead) {
    return false;
  }
  if (record.state == State::Restarting) return restarts_after_exit(record, record.exit_code);
  const std::string& policy = record.host.restart_policy.name;
  if (policy == "always") return true;
  return policy == "unless-stopped" && !record.stopped_by_client;
}

}  // namespace engine
