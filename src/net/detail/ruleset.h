#pragma once
/// The text of our nftables table. Pure functions.
///
/// The rules are fixed; what differs from host to host stands in sets and maps. A network is one
/// element in a few of them, a published port is one element of one map, so neither the cost of a
/// change nor that of a packet grows with the number of containers.

#include <span>
#include <string>

#include "net/network.h"

namespace net::detail {

inline constexpr const char* kTable = "caisson";
/// (protocol, host port) → (address, port), for ports published on every address of the host …
inline constexpr const char* kPublished = "published";
/// … and (host address, protocol, host port) → (address, port) for the others, which win.
inline constexpr const char* kPublishedAt = "published_at";

struct RulesetOptions {
  bool drop_unrelated_forwarding = false;  ///< see `unrelated` in ruleset.cc
};

/// Replaces the whole table in one transaction, whatever was there.
[[nodiscard]] std::string full_ruleset(std::span<const Network> networks, std::span<const Endpoint> endpoints,
                                       const RulesetOptions& options);
[[nodiscard]] std::string add_network_rules(const Network& network);
[[nodiscard]] std::string remove_network_rules(const Network& network);

}  // namespace net::detail
