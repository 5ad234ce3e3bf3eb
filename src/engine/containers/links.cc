#include "engine/containers/links.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "engine/containers/core.h"
#include "engine/containers/neighbours.h"
#include "engine/host_config.h"

namespace engine {
namespace {

using spec::api::StringList;

struct Port {
  unsigned number = 0;
  std::string protocol;
};

std::vector<Port> sorted(const std::vector<std::string>& specs) {
  std::vector<Port> ports;
  for (const std::string& spec : specs) {
    const auto parts = base::cut(spec, "/");
    const auto number = base::parse_uint(parts ? parts->first : spec);
    if (number) ports.push_back({static_cast<unsigned>(*number), std::string{parts ? parts->second : "tcp"}});
  }
  std::ranges::sort(ports, [](const Port& a, const Port& b) {
    return std::pair{a.number, a.protocol != "tcp"} < std::pair{b.number, b.protocol != "tcp"};
  });
  return ports;
}

/// The last of the ports that follow `first` without a gap, of the same protocol.
std::size_t end_of_range(const std::vector<Port>& ports, std::size_t first) {
  std::size_t last = first;
  while (last + 1 < ports.size() && ports[last + 1].number == ports[last].number + 1 &&
         ports[last + 1].protocol == ports[first].protocol) {
    ++last;
  }
  return last;
}

/// The container that has the endpoint: of one that shares another's network, the other.
base::Result<ContainerPtr> with_network(Core& core, ContainerPtr container) {
  for (std::string_view owner = joined_container(container->record()->host.network_mode); !owner.empty();
       owner = joined_container(container->record()->host.network_mode)) {
    container = TRY(core.table.find(std::string{owner}));
  }
  return container;
}

std::optional<net::Endpoint> endpoint_in(Core& core, const std::string& id, const base::NetworkId& network) {
  for (net::Endpoint& endpoint : core.network.endpoints_of(base::ContainerId{id})) {
    if (endpoint.network == network) return std::move(endpoint);
  }
  return std::nullopt;
}

}  // namespace

base::Result<Link> parse_link(const std::string& text) {
  if (text.empty()) return base::invalid("empty string specified for links");
  const auto parts = base::split(text, ':');
  if (parts.size() > 2) return base::invalid("bad format for links: " + text);
  if (parts.size() == 1) return Link{text, text};
  Link link{std::string{parts[0]}, std::string{parts[1]}};
  if (link.target.starts_with('/')) {
    link.target.erase(0, 1);
    link.alias.erase(0, link.alias.rfind('/') + 1);
  }
  if (link.target.empty() || link.alias.empty()) return base::invalid("bad format for links: " + text);
  return link;
}

base::Result<std::vector<LinkRecord>> resolve_links(Core& core, const Record& record) {
  std::vector<LinkRecord> links;
  for (const std::string& text : record.host.links.value_or(StringList{})) {
    const Link link = TRY(parse_link(text));
    auto target = core.table.find(link.target);
    if (!target) {
      return std::move(target).error().context("could not get container for " + link.target)
          .as(base::ErrorKind::InvalidArgument);
    }
    const ContainerPtr owner = TRY(with_network(core, *std::move(target)));
    if (owner->record()->host.network_mode == "host") {
      return base::invalid(
          "conflicting options: host type networking can't be used with links. This would result in undefined "
          "behavior");
    }
    links.push_back({owner->id(), link.alias});
  }
  return links;
}

void add_linked(Core& core, const Record& record, const base::NetworkId& network, std::vector<net::Neighbour>& list) {
  for (const LinkRecord& link : record.links) {
    const auto target = core.table.find(link.container);
    const auto endpoint = endpoint_in(core, link.container, network);
    if (!target || !endpoint) continue;
    const auto theirs = (*target)->record();
    StringList names{link.alias, theirs->config.hostname};
    if (theirs->name != link.alias) names.push_back(theirs->name);
    list.push_back({endpoint->address.str(), std::move(names)});
  }
}

std::vector<std::string> variables_of_link(const std::string& parent, const std::string& alias,
                                           const std::string& address, const std::vector<std::string>& specs,
                                           const std::vector<std::string>& environment) {
  std::string prefix;
  for (const char c : alias) prefix += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::vector<std::string> variables;
  const auto put = [&](const std::string& name, const std::string& value) {
    variables.push_back(fmt::format("{}_{}={}", prefix, name, value));
  };
  const auto url = [&](const Port& port) { return fmt::format("{}://{}:{}", port.protocol, address, port.number); };
  const auto name_of = [](const Port& port) {
    return fmt::format("PORT_{}_{}", port.number, port.protocol == "udp" ? "UDP" : port.protocol == "sctp" ? "SCTP" : "TCP");
  };
  const std::vector<Port> ports = sorted(specs);
  if (!ports.empty()) put("PORT", url(ports.front()));
  for (std::size_t first = 0; first < ports.size();) {
    const std::size_t last = end_of_range(ports, first);
    if (last > first) {
      const std::string name = name_of(ports[first]);
      put(name + "_START", url(ports[first]));
      put(name + "_PORT_START", std::to_string(ports[first].number));
      put(name + "_END", url(ports[last]));
      put(name + "_PORT_END", std::to_string(ports[last].number));
    }
    first = last + 1;
  }
  for (const Port& port : ports) {
    const std::string name = name_of(port);
    put(name, url(port));
    put(name + "_ADDR", address);
    put(name + "_PORT", std::to_string(port.number));
    put(name + "_PROTO", port.protocol);
  }
  put("NAME", "/" + parent + "/" + alias);
  for (const std::string& entry : environment) {
    const auto pair = base::cut(entry, "=");
    // Those that an image has in any case say nothing.
    if (!pair || pair->first == "HOME" || pair->first == "PATH") continue;
    put("ENV_" + std::string{pair->first}, std::string{pair->second});
  }
  return variables;
}

base::Result<std::vector<std::string>> link_environment(Core& core, const Record& record, LinkedMustRun must_run) {
  std::vector<std::string> all;
  if (record.links.empty()) return all;
  const auto bridge = core.network.find_network("bridge");
  if (!bridge || network_key(record, bridge->name, bridge->id) == nullptr) return all;
  for (const LinkRecord& link : record.links) {
    const auto target = core.table.find(link.container);
    if (!target) continue;  // removed: docker forgets the link, too
    const auto theirs = (*target)->record();
    const auto endpoint = endpoint_in(core, link.container, bridge->id);
    if (must_run == LinkedMustRun::Yes && !has_process(theirs->state)) {
      return base::internal(fmt::format("Cannot link to a non running container: /{} AS /{}/{}", theirs->name,
                                        record.name, link.alias));
    }
    if (!endpoint) {
      if (must_run == LinkedMustRun::No) continue;
      return base::internal("container " + theirs->id + " not attached to default bridge network");
    }
    StringList ports;
    for (const auto& [spec, none] : theirs->config.exposed_ports.value_or(spec::api::NameSet{})) ports.push_back(spec);
    const auto variables = variables_of_link(record.name, link.alias, endpoint->address.str(), ports,
                                             theirs->config.env.value_or(StringList{}));
    all.insert(all.end(), variables.begin(), variables.end());
  }
  return all;
}

base::Result<> remove_link(Core& core, const std::string& name) {
  const auto parts = base::split_words(name, '/');
  if (parts.size() != 2) return base::invalid("Conflict, cannot remove the default link name of the container");
  const auto parent = core.table.find(std::string{parts[0]});
  if (!parent) return base::not_found(fmt::format("Cannot get parent {} for link name {}", parts[0], name));
  const ContainerPtr& container = *parent;
  const std::lock_guard verb{container->verbs};
  const auto before = container->record();
  const auto link = std::ranges::find(before->links, parts[1], &LinkRecord::alias);
  if (link == before->links.end()) return base::not_found(fmt::format("No such link: {}", name));
  const auto now = container->update([&](Record& record) {
    std::erase_if(record.links, [&](const LinkRecord& one) { return one.alias == parts[1]; });
    std::erase_if(*record.host.links, [&](const std::string& text) {
      const auto one = parse_link(text);
      return one && one->alias == parts[1];
    });
  });
  TRY(save(core, *now));
  rewrite_neighbours(core, before->id);
  return {};
}

std::multimap<std::string, std::string> names_by_link(Core& core) {
  std::multimap<std::string, std::string> names;
  for (const ContainerPtr& container : core.table.all()) {
    const auto record = container->record();
    for (const LinkRecord& link : record->links) names.emplace(link.container, fmt::format("/{}/{}", record->name, link.alias));
  }
  return names;
}

std::vector<std::string> shown_links(Core& core, const Record& record) {
  std::vector<std::string> shown;
  for (const LinkRecord& link : record.links) {
    const auto target = core.table.find(link.container);
    if (target) shown.push_back(fmt::format("/{}:/{}/{}", (*target)->record()->name, record.name, link.alias));
  }
  return shown;
}

}  // namespace engine
