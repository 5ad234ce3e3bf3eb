#include <array>
#include <atomic>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "net/detail/firewall.h"
#include "sys/file.h"
#include "sys/nftables.h"

namespace net::detail {
namespace {

constexpr const char* kDockerUser = "DOCKER-USER";
constexpr const char* kForward = "FORWARD";

struct Direction {
  const char* match;
};
constexpr std::array<Direction, 2> kDirections{{{"oifname"}, {"iifname"}}};

std::string rule_of(const Direction& direction, const std::string& bridge) {
  return fmt::format("{} \"{}\"", direction.match, bridge);
}

/// The listing of a chain of iptables-nft's filter table, with handles; nullopt if there is none.
std::optional<std::string> listing(const char* chain) {
  auto text = sys::run_nft(fmt::format("list chain ip filter {}", chain), sys::NftOutput::WithHandles);
  return text ? std::optional{*std::move(text)} : std::nullopt;
}

/// Where rules of others belong: docker keeps DOCKER-USER for that and never touches it.
std::optional<std::string> chain_to_pass() {
  const auto forward = listing(kForward);
  if (!forward) return std::nullopt;
  if (forward->find(kDockerUser) != std::string::npos) return kDockerUser;
  if (forward->find("policy drop") != std::string::npos) return kForward;
  return std::nullopt;
}

/// Once per process: the host's administrator reads it at start, not with every network.
void warn_of_the_unreachable(const std::string& bridge) {
  static std::atomic_flag warned;
  if (warned.test_and_set()) return;
  const auto legacy = sys::read_file(sys::kCwd, "/proc/net/ip_tables_names");
  if (legacy && legacy->find("filter") != std::string::npos) {
    base::log::warn(
        "iptables-legacy filters forwarded packets on this host; if its FORWARD policy is DROP, containers "
        "have no "
        "network until you run: iptables-legacy -I FORWARD -i {0} -j ACCEPT; iptables-legacy -I FORWARD -o "
        "{0} -j "
        "ACCEPT",
        bridge);
  }
  const auto tables = sys::run_nft("list tables");
  if (tables && tables->find("firewalld") != std::string::npos) {
    base::log::warn(
        "firewalld filters forwarded packets on this host; if containers have no network, run: firewall-cmd "
        "--permanent --zone=trusted --add-interface={} && firewall-cmd --reload",
        bridge);
  }
}

}  // namespace

base::Result<> pass_other_firewalls(std::span<const std::string> bridges) {
  if (bridges.empty()) return {};
  warn_of_the_unreachable(bridges.front());
  const auto chain = chain_to_pass();
  if (!chain) return {};
  const std::string present = listing(chain->c_str()).value_or("");
  std::string commands;
  for (const std::string& bridge : bridges) {
    for (const Direction& direction : kDirections) {
      const std::string match = rule_of(direction, bridge);
      if (present.find(match) == std::string::npos) {
        commands += fmt::format("insert rule ip filter {} {} counter accept\n", *chain, match);
      }
    }
  }
  if (commands.empty()) return {};
  TRY(sys::run_nft(commands).context("let bridges pass the chain " + *chain + " of iptables"));
  base::log::info("{} of iptables drops forwarded packets: added rules that let our bridges pass", *chain);
  return {};
}

void leave_other_firewalls(const std::string& bridge) {
  std::string commands;
  for (const char* chain : {kDockerUser, kForward}) {
    const auto present = listing(chain);
    if (!present) continue;
    for (const auto line : base::split(*present, '\n')) {
      const auto handle = base::cut(line, "# handle ");
      if (!handle || line.find("counter") == std::string_view::npos ||
          line.find("accept") == std::string_view::npos) {
        continue;
      }
      for (const Direction& direction : kDirections) {
        if (base::trim(line).starts_with(rule_of(direction, bridge))) {
          commands += fmt::format("delete rule ip filter {} handle {}\n", chain, handle->second);
        }
      }
    }
  }
  if (commands.empty()) return;
  if (const auto removed = sys::run_nft(commands); !removed) {
    base::log::warn("rules for {} stay in the chains of iptables: {}", bridge, removed.error().message());
  }
}

}  // namespace net::detail
