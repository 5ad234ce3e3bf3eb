#pragma once
/// `--link`: names and variables of another container. On the default network this is docker's legacy
/// link; on others it is one more name in the hosts file (neighbours.h).

#include <map>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "engine/containers/record.h"
#include "net/hosts.h"

namespace engine {

struct Core;

struct Link {
  std::string target, alias;
};
/// "db:alias", "db", or what inspect shows, "/db:/web/alias". Errors: InvalidArgument in docker's words.
base::Result<Link> parse_link(const std::string& text);

/// HostConfig.Links with the containers that are meant, so that a link follows a renaming.
/// Errors: InvalidArgument "could not get container for x: …", "conflicting options: …".
base::Result<std::vector<LinkRecord>> resolve_links(Core& core, const Record& record);

/// The lines of the linked containers on the default network, where they run.
void add_linked(Core& core, const Record& record, const base::NetworkId& network, std::vector<net::Neighbour>& list);

/// DB_PORT=tcp://172.17.0.5:5432 and the like, for the process. `must_run`: a linked container that does
/// not run is an error, as at a start: Internal "Cannot link to a non running container: /db AS /web/db".
enum class LinkedMustRun : std::uint8_t { No, Yes };
base::Result<std::vector<std::string>> link_environment(Core& core, const Record& record, LinkedMustRun must_run);

/// Variables of one link. `ports` are "5432/tcp". Pure.
[[nodiscard]] std::vector<std::string> variables_of_link(const std::string& parent, const std::string& alias,
                                                         const std::string& address,
                                                         const std::vector<std::string>& ports,
                                                         const std::vector<std::string>& environment);

/// `rm --link`: takes "web/store", a link of the container web, away; both containers stay. Takes web's verb lock.
/// Errors: InvalidArgument, NotFound, in docker's words.
base::Result<> remove_link(Core& core, const std::string& name);

/// What ps shows as further names of a linked container: its id → "/web/store".
[[nodiscard]] std::multimap<std::string, std::string> names_by_link(Core& core);

/// As HostConfig.Links of inspect: "/db:/web/alias", with the names of now.
[[nodiscard]] std::vector<std::string> shown_links(Core& core, const Record& record);

}  // namespace engine
