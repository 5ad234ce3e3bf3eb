#pragma once
/// The verbs of a container, one file each (verb_<name>.cc), and their parts. What they do and their
/// errors: engine/containers.h. Each takes the container's verb lock itself unless it says otherwise.

#include "engine/container_files.h"
#include "engine/containers/core.h"
#include "engine/containers/run.h"
#include "shim/protocol.h"

namespace engine {

// -- verbs ----------------------------------------------------------------------------------------
base::Result<spec::api::CreateContainerResponse> create(Core& core, const CreateOptions& options);
base::Result<> start(Core& core, const ContainerPtr& container);
base::Result<> stop(Core& core, const ContainerPtr& container, const StopOptions& options);
base::Result<> restart(Core& core, const ContainerPtr& container, const StopOptions& options);
base::Result<> kill(Core& core, const ContainerPtr& container, const std::string& signal);
base::Result<> pause(Core& core, const ContainerPtr& container);
base::Result<> unpause(Core& core, const ContainerPtr& container);
base::Result<> rename(Core& core, const ContainerPtr& container, const std::string& name);
base::Result<spec::api::StringList> update(Core& core, const ContainerPtr& container,
                                           const spec::api::UpdateRequest& request);
base::Result<> remove(Core& core, const ContainerPtr& container, const RemoveOptions& options);
base::Result<std::unique_ptr<Wait>> wait(Core& core, const ContainerPtr& container, WaitCondition condition);
base::Result<std::unique_ptr<StreamTicket>> attach(Core& core, const ContainerPtr& container,
                                                   const AttachOptions& options);
base::Result<std::unique_ptr<LogReader>> logs(Core& core, const ContainerPtr& container, const LogOptions& options);
base::Result<> resize(Core& core, const ContainerPtr& container, unsigned rows, unsigned columns);
base::Result<spec::api::TopResponse> top(Core& core, const ContainerPtr& container, const std::string& ps_args);
base::Result<std::unique_ptr<StatsStream>> stats(Core& core, const ContainerPtr& container);
base::Result<PruneReport> prune(Core& core, const Filters& filters);
base::Result<std::vector<spec::api::ContainerSummary>> list(Core& core, const ListOptions& options);
base::Result<spec::api::ContainerInspect> inspect(Core& core, const ContainerPtr& container, bool size);

// -- files (engine/container_files.h) ---------------------------------------------------------------
// `ref`: what the client calls the container, for messages.
base::Result<spec::api::PathStat> stat_path(Core& core, const ContainerPtr& container, const std::string& ref,
                                            const std::string& path);
base::Result<std::vector<std::string>> expand_paths(Core& core, const ContainerPtr& container,
                                                    const std::string& pattern);
base::Result<ArchivedPath> archive_path(Core& core, const ContainerPtr& container, const std::string& ref,
                                        const std::string& path);
base::Result<> extract(Core& core, const ContainerPtr& container, const std::string& ref, const std::string& path,
                       const ExtractOptions& options, base::ByteSource& archive);
base::Result<std::unique_ptr<OutgoingArchive>> export_tree(Core& core, const ContainerPtr& container);
base::Result<std::vector<spec::api::FilesystemChange>> changes(Core& core, const ContainerPtr& container);
base::Result<std::string> commit(Core& core, const ContainerPtr& container, const CommitOptions& options);

// -- execs ----------------------------------------------------------------------------------------
base::Result<std::string> create_exec(Core& core, const ContainerPtr& container, const spec::api::ExecConfig& config);
base::Result<spec::api::ExecInspect> inspect_exec(Core& core, const ContainerPtr& container, const std::string& exec);
base::Result<> start_exec_detached(Core& core, const ContainerPtr& container, const std::string& exec);
base::Result<std::unique_ptr<StreamTicket>> start_exec(Core& core, const ContainerPtr& container,
                                                       const std::string& exec,
                                                       const spec::api::ExecStartRequest& request, bool multiplexed);
base::Result<> resize_exec(Core& core, const ContainerPtr& container, const std::string& exec, unsigned rows,
                           unsigned columns);
/// On the reactor's thread.
void record_exec_exit(Core& core, Container& container, const std::string& exec, const shim::Exit& exit);

// -- the end of a run (exit.cc) ---------------------------------------------------------------------
/// On the reactor's thread: the new state, in memory only, quickly.
void record_exit(Core& core, Container& container, const shim::Exit& exit);
/// On a worker: network, events, the row, restart or removal. Takes the verb lock.
void finish_run(Core& core, const ContainerPtr& container, const std::shared_ptr<Run>& run);
/// The same at once, where the process has ended and the worker has not come to it yet: a verb that starts or removes the container
/// must not overtake it. The container may be removed then (--rm). The caller holds the verb lock.
void finish_last_run(Core& core, const ContainerPtr& container);
/// Waits out the back-off and starts it again, unless a client decides otherwise meanwhile.
void schedule_restart(Core& core, const ContainerPtr& container);

// -- parts that several verbs use. The caller holds the verb lock. ----------------------------------
base::Result<> start_locked(Core& core, const ContainerPtr& container);
base::Result<> remove_locked(Core& core, const ContainerPtr& container, bool volumes);
/// Sends the signal, thawing a paused container, and publishes "kill". Takes no lock.
base::Result<> send_signal(Core& core, const ContainerPtr& container, int signal);
/// Sends the stop signal, then SIGKILL, and returns when the run is over and cleaned up. Takes the verb
/// lock for moments only.
base::Result<> stop_running(Core& core, const ContainerPtr& container, const StopOptions& options);
/// A client wants it to end: no restart policy acts on that, of the next daemon either. Takes no lock.
void note_stop(Core& core, const ContainerPtr& container);
/// A container that waits for its next restart has exited from here on. The caller holds the lock.
base::Result<> end_restarting(Core& core, const ContainerPtr& container);
/// How long a killed process may take to go: it may be in the middle of a slow write.
inline constexpr std::chrono::seconds kPatienceAfterKill{30};
/// The run, or Conflict "container x is not running".
base::Result<std::shared_ptr<Run>> running(const ContainerPtr& container);

}  // namespace engine
