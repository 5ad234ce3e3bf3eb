#pragma once
/// Packets of the protocol: JSON, errors, and the detour through a memfd for long ones. For both sides.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "sys/fd.h"

namespace shim::detail {

struct Packet {
  codec::Json json;
  std::vector<sys::UniqueFd> fds;
};

/// A packet ready for send_message: `fds` are the caller's, `memfd` lives as long as this.
struct Wire {
  std::string bytes;
  std::vector<int> fds;
  sys::UniqueFd memfd;
};
base::Result<Wire> encode(const codec::Json& json, const std::vector<int>& fds);

/// nullopt: the other side has closed. Errors: Unavailable with EAGAIN when nothing is there;
/// InvalidArgument for what is no packet.
base::Result<std::optional<Packet>> receive(int socket);

[[nodiscard]] codec::Json to_json(const base::Error& error);
[[nodiscard]] base::Error to_error(const codec::Json& json);
[[nodiscard]] std::string_view kind_name(base::ErrorKind kind);
[[nodiscard]] base::ErrorKind kind_named(std::string_view name);

}  // namespace shim::detail
