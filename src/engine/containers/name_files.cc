#include <array>

#include "engine/containers/networks.h"
#include "net/hosts.h"
#include "sys/file.h"

namespace engine {
namespace {

using spec::api::StringList;

constexpr std::array<std::string_view, 3> kFiles = {"hostname", "hosts", "resolv.conf"};

/// Truncates and writes: the inode stays, since it may be mounted in the container already.
base::Result<> overwrite(const std::string& path, std::string_view text) {
  const auto fd = TRY(sys::open_at(sys::kCwd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  return sys::write_all(fd.get(), text);
}

std::string host_resolv_conf(const std::string& configured) {
  if (!configured.empty()) return sys::read_file(sys::kCwd, configured).value_or("");
  auto text = sys::read_file(sys::kCwd, "/etc/resolv.conf");
  if (!text) return {};
  const std::string_view path = net::host_resolv_path(*text);
  if (path == "/etc/resolv.conf") return *std::move(text);
  auto real = sys::read_file(sys::kCwd, std::string{path});
  return real ? *std::move(real) : *std::move(text);
}

}  // namespace

base::Result<> make_name_files(Core& core, const Record& record) {
  const std::string dir = core.names_dir(record.id);
  TRY(sys::make_dirs(sys::kCwd, dir, 0711));
  for (const std::string_view file : kFiles) {
    TRY(sys::open_at(sys::kCwd, dir + "/" + std::string{file}, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644));
  }
  return {};
}

base::Result<> write_name_files(Core& core, const Record& record, const std::vector<net::Endpoint>& endpoints) {
  const std::string dir = core.names_dir(record.id);
  TRY(overwrite(dir + "/hostname", net::hostname_text(record.config.hostname)));

  std::string gateway;
  if (const auto bridge = core.network.find_network("bridge")) gateway = bridge->gateway.str();
  net::HostsFile hosts{.hostname = record.config.hostname, .domain = record.config.domainname};
  for (const net::Endpoint& endpoint : endpoints) hosts.addresses.push_back(endpoint.address.str());
  for (const std::string& entry : record.host.extra_hosts.value_or(StringList{})) {
    hosts.extra.push_back(TRY(net::parse_extra_host(entry, gateway)));
  }
  // No neighbour is written into it while it is made.
  const std::lock_guard writing{core.neighbour_writer.mutex};
  const bool is_host = record.host.network_mode == "host";
  if (is_host && hosts.extra.empty()) {
    // Docker shows the host's own file where the container is in the host's network.
    auto own = sys::read_file(sys::kCwd, "/etc/hosts");
    TRY(overwrite(dir + "/hosts", own ? *own : net::hosts_text(hosts)));
  } else {
    TRY(overwrite(dir + "/hosts", net::with_neighbours(net::hosts_text(hosts), neighbours_of(core, record))));
  }

  const auto or_default = [](const std::optional<StringList>& own, const std::vector<std::string>& daemons) {
    return own && !own->empty() ? *own : daemons;
  };
  const net::ResolvOptions resolv{.nameservers = or_default(record.host.dns, core.options.dns),
                                  .search = or_default(record.host.dns_search, core.options.dns_search),
                                  .options = or_default(record.host.dns_options, core.options.dns_opts)};
  return overwrite(dir + "/resolv.conf", net::resolv_text(host_resolv_conf(core.options.resolv_conf), resolv, is_host));
}

}  // namespace engine
