#pragma once
/// Stream sockets: TCP, names of both ends, and I/O with deadlines. Source: socket(7), tcp(7), ip(7).
///
/// The functions that end in `_now` never block, whatever the descriptor's flags say, so a socket can
/// be handed to somebody who expects a blocking one. No call raises SIGPIPE.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>

#include "base/result.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace sys {

using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

/// Binds with SO_REUSEADDR and listens. `host`: an address, a name or "" for all addresses; port 0
/// picks one. Errors: Conflict (in use), PermissionDenied, InvalidArgument (no such host).
base::Result<UniqueFd> listen_tcp(const std::string& host, std::uint16_t port, int backlog = 512);
/// Tries every address of the host in turn, with TCP_NODELAY and keep-alive probes.
/// Errors: Unavailable ("dial tcp 192.0.2.1:80: connect: Connection refused", timeouts too).
base::Result<UniqueFd> connect_tcp(const std::string& host, std::uint16_t port, Deadline deadline);
/// The addresses of a name, as texts. Blocks as long as the resolver does. Errors: InvalidArgument (no such host).
base::Result<std::vector<std::string>> resolve_host(const std::string& host);
/// Begins to connect to an address (not a name) and comes back at once: the non-blocking socket is
/// writable when it is decided, and connect_outcome() says how. Errors: InvalidArgument (no address), those
/// that are known at once (no route).
base::Result<UniqueFd> begin_connect(const std::string& address, std::uint16_t port);
/// Errors: "connect: Connection refused".
base::Result<> connect_outcome(int socket);
/// A datagram socket that sends to the host's first address. Errors: InvalidArgument (no such host), Unavailable.
base::Result<UniqueFd> connect_udp(const std::string& host, std::uint16_t port);
/// Gives the file of a unix socket to a group, with `mode` as chmod(2).
base::Result<> give_to_group(const std::string& path, gid_t group, mode_t mode);
/// TCP_NODELAY and SO_KEEPALIVE; nothing for other families.
void tune_tcp(int socket);

/// "192.0.2.1:80", "[::1]:80", the path of a unix socket, "@" for one without a name.
base::Result<std::string> local_name(int socket);
base::Result<std::string> peer_name(int socket);
/// AF_UNIX, AF_INET, AF_INET6. Errors: InvalidArgument if it is no socket.
base::Result<int> socket_family(int socket);
base::Result<bool> is_listening(int socket);

/// nullopt: nothing there yet. 0: the end.
base::Result<std::optional<std::size_t>> receive_now(int socket, std::span<char> buffer);
/// nullopt: no room. `more_follows`: MSG_MORE, hold back a partial packet.
base::Result<std::optional<std::size_t>> send_now(int socket, std::string_view bytes,
                                                  bool more_follows = false);
/// The same for up to four pieces that stand one behind the other.
base::Result<std::optional<std::size_t>> send_parts_now(int socket, std::span<const std::string_view> parts);
/// Waits for POLLIN, POLLOUT or POLLRDHUP; a hang-up or error counts as ready. False at the deadline.
base::Result<bool> wait_ready(int fd, short events, Deadline deadline);

struct PollItem {
  int fd;  ///< -1 is passed over
  short events;
  short ready = 0;
};
/// poll(2) for a few descriptors. False at the deadline.
base::Result<bool> wait_any(std::span<PollItem> items, Deadline deadline);

enum class Direction : int { Read = SHUT_RD, Write = SHUT_WR, Both = SHUT_RDWR };
/// A peer that is gone is no error.
void shut_down(int socket, Direction direction);

}  // namespace sys
