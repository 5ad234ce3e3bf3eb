#pragma once
/// The container's states and the legal steps between them, as one table (lifecycle.cc).
///
/// What the API calls Running, Paused, Restarting, Dead are views of one state: docker shows a paused
/// and a restarting container as running too. A step that the table refuses is an error in docker's
/// words, of the kind that its API answers with. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace engine {

enum class State : std::uint8_t { Created, Running, Paused, Restarting, Exited, Removing, Dead };

enum class Step : std::uint8_t {
  Start,         ///< its process runs
  Exit,          ///< its process ended and is not to be started again
  AwaitRestart,  ///< its process ended; the restart policy starts it again after the back-off
  Stop,          ///< a client's stop, before anything is done
  Kill,          ///< a client's signal, before anything is done
  Pause,
  Unpause,
  Remove,        ///< a client's removal without force, before anything is done
  RemoveFailed,  ///< half removed: nothing but another removal is possible
  Exec,
  Attach,
  Top,
  Resize,
  Logs,
};

/// The state after `step`. `id` stands in messages. Errors: Conflict, NotModified, Internal.
base::Result<State> advance(State from, Step step, std::string_view id);
[[nodiscard]] bool is_legal(State from, Step step);

/// "created", "running", …: as inspect and ps show it.
[[nodiscard]] std::string_view name_of(State state);
base::Result<State> parse_state(std::string_view name);
/// Has a process, or will have one again without a client's doing.
[[nodiscard]] constexpr bool counts_as_running(State state) {
  return state == State::Running || state == State::Paused || state == State::Restarting;
}
[[nodiscard]] constexpr bool has_process(State state) {
  return state == State::Running || state == State::Paused;
}

}  // namespace engine
