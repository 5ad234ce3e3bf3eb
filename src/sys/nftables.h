#pragma once
/// nftables, two ways in:
///
///  * `run_nft`: any ruleset text, through libnftables. For what happens rarely: tables, chains,
///    rules. The library is loaded for the call only, because it costs 2.5 MB of memory, which an
///    idle daemon shall not have: about 2 ms per call.
///  * `NftElements`: elements of existing sets and maps, as netlink messages of our own. For what
///    happens with every container: 0.02 ms, whatever the number of elements.
///
/// Both work in the calling thread's network namespace, and each call is one transaction: all of it
/// or nothing. Sources: libnftables(3), nft(8), linux/netfilter/nf_tables.h.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/netfilter_sockets.h"
#include "sys/netlink.h"

namespace sys {

enum class NftOutput : std::uint8_t { Plain, WithHandles };
/// Runs nft(8) commands and returns what they print. Calls of a process wait for each other: the
/// library has global state. Errors: NotImplemented (no libnftables, or a kernel without nf_tables),
/// NotFound (list of what is not there), InvalidArgument with the library's text.
base::Result<std::string> run_nft(const std::string& commands, NftOutput output = NftOutput::Plain);

/// A key or a mapped value: its parts, each padded to four bytes as nf_tables concatenates them.
class NftValue {
 public:
  NftValue& protocol(std::uint8_t number);
  NftValue& port(std::uint16_t host_order);
  NftValue& ipv4(std::uint32_t host_order);
  [[nodiscard]] NetlinkBytes bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  void append(const void* data, std::size_t size);
  std::vector<char> bytes_;
};

class NftElements {
 public:
  /// `family`: NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET.
  NftElements(std::uint8_t family, std::string table);

  /// An element that is there with the same value is no error. With another: Conflict.
  void add(const std::string& set, const NftValue& key, const NftValue& value = {});
  /// Errors (of `commit`): NotFound.
  void remove(const std::string& set, const NftValue& key);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// Once. Errors: NotFound (table, set or element), Conflict, PermissionDenied.
  base::Result<> commit(NetfilterSockets& sockets);

 private:
  void change(std::uint16_t message, const std::string& set, const NftValue& key, const NftValue& value,
              std::string_view verb);

  NetlinkBatch batch_;
  std::uint8_t family_;
  std::string table_;
  std::size_t count_ = 0;
};

}  // namespace sys
