#pragma once
/// Names of other containers in a container's /etc/hosts.
///
/// On a network that a user made, each container there is found by its name, aliases and short id, and by
/// "name.network"; on the default network only by --link. The names stand in a block of their own in the
/// file, which is written anew in place whenever a container comes, goes or is renamed: the file is a mount
/// in the container, so its inode stays, and one write(2) puts the whole text there, so that a reader finds
/// the old names or the new ones. While no daemon lives the names stay as they are, as do the addresses.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "net/hosts.h"
#include "net/network.h"

namespace engine {

struct Core;
struct Record;

/// Who writes hosts files, one after the other. Fifty containers that start at once need not have the
/// others' files written fifty times: whoever waited finds its own work done by the one before.
struct NeighbourWriter {
  std::mutex mutex;
  // Guarded by mutex.
  std::map<base::NetworkId, std::uint64_t> done;
  // Under a lock of its own, which is never held over a file.
  std::mutex tickets;
  std::uint64_t last_ticket = 0;
};

/// The block of this container, from what the networks know at this moment.
[[nodiscard]] std::vector<net::Neighbour> neighbours_of(Core& core, const Record& record);

/// After a container came into the networks, left them or changed its name: writes the hosts files of all
/// running containers there, and of those that are linked with it. What fails is logged.
void tell_neighbours(Core& core, const std::string& changed, const std::vector<base::NetworkId>& networks);
[[nodiscard]] std::vector<base::NetworkId> networks_of(const std::vector<net::Endpoint>& endpoints);
/// The file of one container alone, if it runs.
void rewrite_neighbours(Core& core, const std::string& id);
/// All of them, for a daemon that has just started.
void tell_all_neighbours(Core& core);

/// The settings that the container has for this network, which it may have named by its id. nullptr: none.
[[nodiscard]] const std::string* network_key(const Record& record, const std::string& name,
                                             const base::NetworkId& id);

}  // namespace engine
