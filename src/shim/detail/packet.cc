#include "shim/detail/packet.h"

#include <array>
#include <cstdint>
#include <utility>

#include "shim/protocol.h"
#include "sys/socket.h"

namespace shim::detail {
namespace {

using base::ErrorKind;
using base::Result;

// On the wire: names, so that they stay when the enumeration changes.
constexpr std::array<std::pair<ErrorKind, std::string_view>, 9> kKinds{{
    {ErrorKind::NotFound, "NotFound"},
    {ErrorKind::InvalidArgument, "InvalidArgument"},
    {ErrorKind::Conflict, "Conflict"},
    {ErrorKind::Unauthorized, "Unauthorized"},
    {ErrorKind::PermissionDenied, "PermissionDenied"},
    {ErrorKind::Unavailable, "Unavailable"},
    {ErrorKind::NotModified, "NotModified"},
    {ErrorKind::NotImplemented, "NotImplemented"},
    {ErrorKind::Internal, "Internal"},
}};

Result<std::string> read_memfd(int fd) {
  const auto size = static_cast<std::uint64_t>(TRY(sys::stat_fd(fd)).st_size);
  if (size > kPacketLimit) return base::invalid("a packet is too long");
  std::string text(size, '\0');
  text.resize(TRY(sys::read_at(fd, text, 0)));
  return text;
}

}  // namespace

std::string_view kind_name(ErrorKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "Internal";
}

ErrorKind kind_named(std::string_view wanted) {
  for (const auto& [value, name] : kKinds) {
    if (name == wanted) return value;
  }
  return ErrorKind::Internal;
}

codec::Json to_json(const base::Error& error) {
  return codec::Json::object({{"kind", kind_name(error.kind())},
                              {"errno", error.errno_value()},
                              {"message", error.message()}});
}

base::Error to_error(const codec::Json& json) {
  return base::Error{kind_named(json["kind"].as_string()), static_cast<int>(json["errno"].as_int()),
                     json["message"].as_string()};
}

Result<Wire> encode(const codec::Json& json, const std::vector<int>& fds) {
  Wire wire{json.dump(), fds, {}};
  if (wire.bytes.size() <= kInlineLimit) return wire;
  if (wire.bytes.size() > kPacketLimit) return base::invalid("a request to the shim is too long");
  wire.memfd = TRY(sys::make_sealed_memfd("caisson-packet", wire.bytes));
  wire.fds.insert(wire.fds.begin(), wire.memfd.get());
  wire.bytes = R"({"memfd":true})";
  return wire;
}

Result<std::optional<Packet>> receive(int socket) {
  auto message = TRY(sys::receive_message(socket, kInlineLimit));
  if (!message) return std::optional<Packet>{};
  Packet packet{TRY(codec::Json::parse(message->bytes)), std::move(message->fds)};
  if (packet.json["memfd"].as_bool()) {
    if (packet.fds.empty()) return base::invalid("a long packet came without its descriptor");
    const std::string text = TRY(read_memfd(packet.fds.front().get()));
    packet.json = TRY(codec::Json::parse(text));
    packet.fds.erase(packet.fds.begin());
  }
  return std::optional{std::move(packet)};
}

}  // namespace shim::detail
