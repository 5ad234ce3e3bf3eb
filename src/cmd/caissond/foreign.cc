#include "cmd/caissond/foreign.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"

namespace caissond {
namespace {

using base::Result;

enum class Verdict : bool { Refuse, Note };

struct Foreign {
  std::string_view name;
  bool is_switch;             ///< may stand without a value
  std::string_view agreeing;  ///< values that ask for what is the case, by commas
  Verdict verdict;
  std::string_view why;
};

constexpr std::string_view kNoContainerd = "containers are not run by containerd here";
constexpr std::string_view kNoSwarm = "there is no cluster mode in this engine";
constexpr std::string_view kNoProxyProcess = "published ports, those of loopback too, are forwarded by the kernel";
constexpr std::string_view kIpv4 = "containers' networks are IPv4 in this engine";

constexpr std::array kForeign{
    Foreign{"allow-direct-routing", true, "false", Verdict::Refuse, "ports are reached through published ones only"},
    Foreign{"bip6", false, "", Verdict::Refuse, kIpv4},
    Foreign{"bridge-accept-fwmark", false, "", Verdict::Refuse, "the firewall rules of this engine look at no marks"},
    Foreign{"builder", false, "", Verdict::Note, "there is no builder in this engine"},
    Foreign{"containerd", false, "", Verdict::Note, kNoContainerd},
    Foreign{"containerd-namespace", false, "", Verdict::Note, kNoContainerd},
    Foreign{"containerd-plugins-namespace", false, "", Verdict::Note, kNoContainerd},
    Foreign{"cpu-rt-period", false, "0", Verdict::Refuse, "containers get no real-time time slices of the parent cgroup"},
    Foreign{"cpu-rt-runtime", false, "0", Verdict::Refuse, "containers get no real-time time slices of the parent cgroup"},
    Foreign{"cri-containerd", true, "false", Verdict::Note, kNoContainerd},
    Foreign{"default-gateway", false, "", Verdict::Refuse, "the bridge itself is the gateway: set it with --bip"},
    Foreign{"default-gateway-v6", false, "", Verdict::Refuse, kIpv4},
    Foreign{"default-network-opt", false, "", Verdict::Refuse, "give the options to each network when it is created"},
    Foreign{"experimental", true, "false", Verdict::Note, "no feature of this engine is experimental"},
    Foreign{"feature", false, "cdi=false,buildkit=false,time-namespaces=false,containerd-snapshotter=false", Verdict::Note,
            "dockerd's features are no switches of this engine"},
    Foreign{"firewall-backend", false, "nftables", Verdict::Note, "this engine writes nftables rules"},
    Foreign{"fixed-cidr-v6", false, "", Verdict::Refuse, kIpv4},
    Foreign{"host-gateway-ip", false, "", Verdict::Refuse, "\"host-gateway\" is the address of the bridge"},
    Foreign{"ip-forward-no-drop", true, "true", Verdict::Note, "this engine leaves the policy of FORWARD as it is"},
    Foreign{"ip6tables", true, "false", Verdict::Note, kIpv4},
    Foreign{"ipv6", true, "false", Verdict::Refuse, kIpv4},
    Foreign{"network-control-plane-mtu", false, "1500", Verdict::Note, kNoSwarm},
    Foreign{"network-diagnostic-port", false, "0", Verdict::Note, kNoSwarm},
    Foreign{"node-generic-resource", false, "", Verdict::Note, kNoSwarm},
    Foreign{"nri-opts", false, "enable=false", Verdict::Note, "there are no NRI plugins in this engine"},
    Foreign{"raw-logs", true, "true,false", Verdict::Note, "lines are without colours anyway"},
    Foreign{"rootless", true, "false", Verdict::Refuse, "this daemon needs root"},
    Foreign{"storage-opt", false, "", Verdict::Refuse, "snapshotters have no options"},
    Foreign{"swarm-default-advertise-addr", false, "", Verdict::Note, kNoSwarm},
    Foreign{"swarm-raft-election-tick", false, "0", Verdict::Note, kNoSwarm},
    Foreign{"swarm-raft-heartbeat-tick", false, "0", Verdict::Note, kNoSwarm},
    Foreign{"userland-proxy", true, "false", Verdict::Note, kNoProxyProcess},
    Foreign{"userland-proxy-path", false, "", Verdict::Note, kNoProxyProcess},
    Foreign{"userns-remap", false, "", Verdict::Refuse, "containers share the host's user namespace unless they ask otherwise"},
};

bool agrees(const Foreign& row, const std::string& value) {
  const std::vector<std::string_view> agreeing = base::split(row.agreeing, ',');
  return value.empty() || std::ranges::find(agreeing, value) != agreeing.end();
}

/// Collects the texts; a switch wants a bool.
Result<> collect(std::vector<std::string>& values, std::string_view text) {
  values.emplace_back(text);
  return {};
}
Result<> collect_switch(std::vector<std::string>& values, std::string_view text) {
  values.emplace_back(TRY(flags::parse_bool(text)) ? "true" : "false");
  return {};
}

}  // namespace

void ForeignFlags::bind(flags::FlagSet& set) {
  values_.resize(kForeign.size());
  bind_again(set);
}

void ForeignFlags::bind_again(flags::FlagSet& set) {
  for (std::size_t i = 0; i < kForeign.size(); ++i) {
    const auto& row = kForeign[i];
    auto& values = values_[i];
    flags::Value value = row.is_switch ? flags::custom<collect_switch>(values, "") : flags::custom<collect>(values, "string");
    if (row.is_switch) value.without_value = "true";
    set.add({.name = row.name, .help = "", .hidden = true}, std::move(value));
  }
}

Result<> ForeignFlags::judge(std::vector<std::string>& warnings) const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Foreign& row = kForeign[i];
    for (const std::string& value : values_[i]) {
      if (agrees(row, value)) continue;
      if (row.verdict == Verdict::Refuse) {
        return base::not_implemented(
            fmt::format("{} is not supported by this engine: {}: remove the setting", row.name, row.why));
      }
      warnings.push_back(fmt::format("{} ({}) has no effect: {}", row.name, value, row.why));
    }
  }
  return {};
}

}  // namespace caissond
