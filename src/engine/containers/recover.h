#pragma once
/// What a daemon does at its start with what the last one left: rows, run directories, shims.
///
///   row says        found                         becomes
///   running/paused  a shim                        adopted, as the shim says
///   running/paused  exit.json, or a dead shim     an exit, reported and handled as ever
///   other           a shim with a process         running: the last daemon died before it wrote that
///   other           a shim that only created      given up, as a failed start
///   restarting      no shim                       the next restart
///   none            a run or data directory, a    removed
///                   snapshot named by an id
///
/// Containers are independent: one whose shim does not answer keeps its verb lock and nothing else.

#include "engine/containers/core.h"

namespace engine {

/// Fills the table and sets the above going; returns when all is done or a few seconds are over.
/// Before any request is served. Errors: those of the database.
base::Result<> recover(Core& core);

}  // namespace engine
