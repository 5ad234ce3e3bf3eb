#pragma once
/// -p and --expose. Source: the grammar of docker/go-connections' nat package.

#include <string>
#include <vector>

#include "base/result.h"
#include "spec/engine/container.h"

namespace cli {

struct PublishedPorts {
  spec::api::NameSet exposed;
  spec::api::PortMap bindings;
};

/// "[ip:][host-port]:port[/proto]" with ranges, or "target=80,published=8080,…".
/// Errors: InvalidArgument with docker's messages.
base::Result<PublishedPorts> parse_published_ports(const std::vector<std::string>& specs);
/// Adds "80", "80-82/udp". Errors: as above.
base::Result<> add_exposed_ports(spec::api::NameSet& exposed, const std::vector<std::string>& specs);

}  // namespace cli
