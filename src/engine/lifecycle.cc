#include "engine/lifecycle.h"

#include <array>
#include <optional>

namespace engine {
namespace {

using base::ErrorKind;

struct Rule {
  State from;
  Step step;
  std::optional<State> to;  // nullopt: refused, with the kind and words that follow
  ErrorKind kind = ErrorKind::Conflict;
  std::string_view message = {};  // {} stands for the id
};

using enum State;
using enum Step;

constexpr std::string_view kNotRunning = "container {} is not running";
constexpr std::string_view kIsRestarting = "container {} is restarting, wait until the container is running";
constexpr std::string_view kNotPaused = "Container {} is not paused";
constexpr std::string_view kNoStart = "container is marked for removal and cannot be started";
constexpr std::string_view kStopped = "container is already stopped";
constexpr std::string_view kNoRemove = "container is running: stop the container before removing or force remove";
constexpr std::string_view kRemoving = "removal of container {} is already in progress";
constexpr std::string_view kNoLogs = "can not get logs from container which is dead or marked for removal";

// Source: the API's behaviour, state by state. A pair that is not here can't happen.
constexpr Rule kRules[] = {
    {Created, Start, Running},
    {Exited, Start, Running},
    {Restarting, Start, Running},
    {Running, Start, {}, ErrorKind::NotModified, "container is already running"},
    {Paused, Start, {}, ErrorKind::Conflict, "cannot start a paused container, try unpause instead"},
    {Removing, Start, {}, ErrorKind::Conflict, kNoStart},
    {Dead, Start, {}, ErrorKind::Conflict, kNoStart},

    {Running, Exit, Exited},
    {Paused, Exit, Exited},
    {Restarting, Exit, Exited},

    {Removing, Exit, Removing},

    {Running, AwaitRestart, Restarting},
    {Paused, AwaitRestart, Restarting},
    {Restarting, AwaitRestart, Restarting},

    {Running, Stop, Running},
    {Paused, Stop, Paused},
    {Restarting, Stop, Restarting},
    {Created, Stop, {}, ErrorKind::NotModified, kStopped},
    {Exited, Stop, {}, ErrorKind::NotModified, kStopped},
    {Removing, Stop, {}, ErrorKind::NotModified, kStopped},
    {Dead, Stop, {}, ErrorKind::NotModified, kStopped},

    {Running, Kill, Running},
    {Paused, Kill, Paused},
    {Restarting, Kill, Restarting},
    {Created, Kill, {}, ErrorKind::Conflict, kNotRunning},
    {Exited, Kill, {}, ErrorKind::Conflict, kNotRunning},
    {Removing, Kill, {}, ErrorKind::Conflict, kNotRunning},
    {Dead, Kill, {}, ErrorKind::Conflict, kNotRunning},

    {Running, Pause, Paused},
    {Paused, Pause, {}, ErrorKind::Conflict, "container {} is already paused"},
    {Restarting, Pause, {}, ErrorKind::Conflict, kIsRestarting},
    {Created, Pause, {}, ErrorKind::Conflict, kNotRunning},
    {Exited, Pause, {}, ErrorKind::Conflict, kNotRunning},
    {Removing, Pause, {}, ErrorKind::Conflict, kNotRunning},
    {Dead, Pause, {}, ErrorKind::Conflict, kNotRunning},

    {Paused, Unpause, Running},
    {Running, Unpause, {}, ErrorKind::Internal, kNotPaused},
    {Restarting, Unpause, {}, ErrorKind::Internal, kNotPaused},
    {Created, Unpause, {}, ErrorKind::Internal, kNotPaused},
    {Exited, Unpause, {}, ErrorKind::Internal, kNotPaused},
    {Removing, Unpause, {}, ErrorKind::Internal, kNotPaused},
    {Dead, Unpause, {}, ErrorKind::Internal, kNotPaused},

    {Created, Remove, Removing},
    {Exited, Remove, Removing},
    {Dead, Remove, Removing},
    {Running, Remove, {}, ErrorKind::Conflict, kNoRemove},
    {Restarting, Remove, {}, ErrorKind::Conflict, kNoRemove},
    {Paused, Remove, {}, ErrorKind::Conflict, "container is paused and must be unpaused first"},
    {Removing, Remove, {}, ErrorKind::Conflict, kRemoving},
    {Removing, RemoveFailed, Dead},

    {Running, Exec, Running},
    {Paused, Exec, {}, ErrorKind::Conflict, "container {} is paused, unpause the container before exec"},
    {Restarting, Exec, {}, ErrorKind::Conflict, kIsRestarting},
    {Created, Exec, {}, ErrorKind::Conflict, kNotRunning},
    {Exited, Exec, {}, ErrorKind::Conflict, kNotRunning},
    {Removing, Exec, {}, ErrorKind::Conflict, kNotRunning},
    {Dead, Exec, {}, ErrorKind::Conflict, kNotRunning},

    {Running, Attach, Running},
    {Created, Attach, Created},  // kept until the start
    {Exited, Attach, Exited},
    {Paused, Attach, {}, ErrorKind::Conflict, "container {} is paused, unpause the container before attach"},
    {Restarting, Attach, {}, ErrorKind::Conflict, kIsRestarting},
    {Removing, Attach, {}, ErrorKind::Conflict, kNotRunning},
    {Dead, Attach, {}, ErrorKind::Conflict, kNotRunning},

    {Running, Top, Running},
    {Paused, Top, Paused},
    {Restarting, Top, {}, ErrorKind::Conflict, kIsRestarting},
    {Created, Top, {}, ErrorKind::Conflict, kNotRunning},
    {Exited, Top, {}, ErrorKind::Conflict, kNotRunning},
    {Removing, Top, {}, ErrorKind::Conflict, kNotRunning},
    {Dead, Top, {}, ErrorKind::Conflict, kNotRunning},

    {Running, Resize, Running},
    {Paused, Resize, Paused},
    {Restarting, Resize, {}, ErrorKind::Conflict, kNotRunning},
    {Created, Resize, {}, ErrorKind::Conflict, kNotRunning},
    {Exited, Resize, {}, ErrorKind::Conflict, kNotRunning},
    {Removing, Resize, {}, ErrorKind::Conflict, kNotRunning},
    {Dead, Resize, {}, ErrorKind::Conflict, kNotRunning},

    {Created, Logs, Created},
    {Running, Logs, Running},
    {Paused, Logs, Paused},
    {Restarting, Logs, Restarting},
    {Exited, Logs, Exited},
    {Removing, Logs, {}, ErrorKind::Conflict, kNoLogs},
    {Dead, Logs, {}, ErrorKind::Conflict, kNoLogs},
};

constexpr std::array<std::string_view, 7> kNames = {"created", "running",  "paused", "restarting",
                                                    "exited",  "removing", "dead"};

const Rule* find(State from, Step step) {
  for (const Rule& rule : kRules) {
    if (rule.from == from && rule.step == step) return &rule;
  }
  return nullptr;
}

std::string with_id(std::string_view message, std::string_view id) {
  std::string text{message};
  if (const auto at = text.find("{}"); at != std::string::npos) text.replace(at, 2, id);
  return text;
}

}  // namespace

base::Result<State> advance(State from, Step step, std::string_view id) {
  const Rule* rule = find(from, step);
  if (rule == nullptr) {
    return base::conflict("container " + std::string{id} + " is " + std::string{name_of(from)} +
                          ", which does not allow this step");
  }
  if (rule->to) return *rule->to;
  return base::Error{rule->kind, with_id(rule->message, id)};
}

bool is_legal(State from, Step step) {
  const Rule* rule = find(from, step);
  return rule != nullptr && rule->to.has_value();
}

std::string_view name_of(State state) { return kNames[static_cast<std::size_t>(state)]; }

base::Result<State> parse_state(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<State>(i);
  }
  return base::invalid("invalid container state: " + std::string{name});
}

}  // namespace engine
