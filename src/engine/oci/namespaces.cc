#include <algorithm>

#include "base/strings.h"
#include "engine/oci/spec_builder.h"

namespace engine::oci {
namespace {

/// "/docker/<id>" below each hierarchy, or below --cgroup-parent; with systemd the scope docker-<id> in a slice.
std::string cgroups_path(const Input& input) {
  if (input.defaults.cgroup_driver == cgroup::Driver::Systemd) {
    const std::string& own = input.host.resources.cgroup_parent;
    // No slice: the runtime's own default.
    return (own.empty() ? input.defaults.cgroup_parent : own) + ":docker:" + input.id;
  }
  std::string parent = !input.host.resources.cgroup_parent.empty() ? input.host.resources.cgroup_parent
                       : !input.defaults.cgroup_parent.empty()     ? input.defaults.cgroup_parent
                                                                   : "/docker";
  // Docker takes a relative parent from the root, too.
  if (!parent.starts_with('/')) parent.insert(parent.begin(), '/');
  if (!parent.ends_with('/')) parent += '/';
  return parent + input.id;
}

bool is_host(std::string_view mode) { return mode == "host"; }

/// The kernel has them per network namespace, so they are set only where the container has its own.
void add_network_sysctls(const Input& input, std::map<std::string, std::string>& sysctl) {
  const std::string& mode = input.host.network_mode;
  if (is_host(mode) || mode.starts_with("container:") || input.host.privileged) return;
  if (!input.user_namespace) sysctl.emplace("net.ipv4.ping_group_range", "0 2147483647");
  sysctl.emplace("net.ipv4.ip_unprivileged_port_start", "0");
}

}  // namespace

base::Result<> add_namespaces(const Input& input, spec::oci::Spec& spec) {
  auto& section = *spec.linux_section;
  auto& list = section.namespaces;
  const spec::api::HostConfig& host = input.host;
  list.push_back({"mount", ""});
  if (!is_host(host.network_mode)) list.push_back({"network", input.joined.network});
  if (!is_host(host.uts_mode)) {
    list.push_back({"uts", ""});
    spec.hostname = input.hostname;  // that of the container whose network it shares, as docker has it
    spec.domainname = input.config.domainname;
  }
  if (!is_host(host.pid_mode)) list.push_back({"pid", input.joined.pid});
  if (!is_host(host.ipc_mode)) list.push_back({"ipc", input.joined.ipc});
  if (host.cgroupns_mode == "private") list.push_back({"cgroup", ""});

  if (host.sysctls) section.sysctl = *host.sysctls;
  add_network_sysctls(input, section.sysctl);
  section.cgroups_path = cgroups_path(input);
  return {};
}

}  // namespace engine::oci
