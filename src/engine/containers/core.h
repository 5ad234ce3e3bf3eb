#pragma once
/// What the container verbs share: the collaborators, and the three small things that every verb does
/// (find, save, publish). Each verb is a free function in a file of its own, declared in verbs.h.

#include <atomic>
#include <string>
#include <vector>

#include "engine/containers/container.h"
#include "engine/containers/neighbours.h"
#include "engine/containers/table.h"
#include "engine/detail/reactor.h"
#include "engine/detail/workers.h"
#include "engine/engine.h"
#include "engine/event_bus.h"
#include "engine/host_config.h"
#include "engine/host_facts.h"
#include "engine/live_settings.h"
#include "engine/oci/spec_builder.h"
#include "image/store.h"
#include "net/manager.h"
#include "snapshot/snapshotter.h"
#include "state/database.h"
#include "volume/store.h"

namespace engine {

struct Core {
  const Options& options;  ///< of the start: see LiveSettings for what may change
  const HostFacts& facts;
  const oci::Defaults& oci_defaults;
  const LiveSettings& live;
  state::Database& database;
  snapshot::Snapshotter& snapshots;
  image::Store& images;
  net::Manager& network;
  volume::Store& volumes;
  EventBus& events;
  Reactor& reactor;
  Workers& workers;
  ContainerTable table;
  NeighbourWriter neighbour_writer;
  /// Set when the daemon leaves: exits are recorded by the next one then.
  std::atomic<bool> shutting_down = false;

  // Where a container's files are. Data: logs, on disk; run: what the shim needs, on tmpfs; names:
  // hostname, hosts and resolv.conf, written anew at each start, so on tmpfs too.
  [[nodiscard]] std::string data_dir(const std::string& id) const { return options.data_root + "/containers/" + id; }
  [[nodiscard]] std::string run_dir(const std::string& id) const { return options.exec_root + "/containers/" + id; }
  [[nodiscard]] std::string names_dir(const std::string& id) const { return options.exec_root + "/names/" + id; }
  [[nodiscard]] std::string runtime_root() const { return options.exec_root + "/runtime"; }
  [[nodiscard]] std::string log_path(const std::string& id) const { return data_dir(id) + "/" + id + "-json.log"; }
  /// Of the driver "local", and of the copy that the drivers keep which send lines elsewhere.
  [[nodiscard]] std::string local_log_path(const std::string& id) const { return data_dir(id) + "/local-logs/container.log"; }
  [[nodiscard]] std::string copied_log_path(const std::string& id) const { return data_dir(id) + "/container-cached.log"; }
};

/// The row, durable against the death of this process. One transaction.
base::Result<> insert(Core& core, const Record& record);
base::Result<> save(Core& core, const Record& record);
base::Result<> erase(Core& core, const std::string& id);
/// All three directories, in the background: whoever asked for a removal does not wait for the disk.
/// The next daemon collects what a crash leaves of them.
void remove_files_later(Core& core, const std::string& id);
/// For a save that follows something that has happened anyway: a failure is logged.
void save_or_log(Core& core, const Record& record);

/// An event of type "container" with docker's attributes: the labels, name, image, and `more`.
void publish(Core& core, const Record& record, std::string_view action, spec::api::Labels more = {});

}  // namespace engine
