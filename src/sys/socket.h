#pragma once
/// Unix sockets and the passing of descriptors over them. Source: unix(7), cmsg(3).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/types.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

struct SocketPair {
  UniqueFd first;
  UniqueFd second;
};
/// `type`: SOCK_STREAM, SOCK_SEQPACKET, plus SOCK_NONBLOCK.
base::Result<SocketPair> make_socket_pair(int type);

/// Binds and listens at `path` (any length: bound through its directory's descriptor), replacing a
/// socket that is there already. `mode` as chmod(2). Errors: Conflict if `path` is no socket.
base::Result<UniqueFd> listen_unix(const std::string& path, int type, mode_t mode, int backlog = 512);
/// Errors: NotFound (no such file), Unavailable (nobody listens), PermissionDenied.
base::Result<UniqueFd> connect_unix(const std::string& path, int type);
/// accept4(2). Errors: Unavailable with EAGAIN on a non-blocking one.
base::Result<UniqueFd> accept_on(int listener, int flags = 0);

/// Who is at the other end: SO_PEERCRED.
base::Result<struct ::ucred> peer_credentials(int socket);

/// One packet (SEQPACKET) or bytes (STREAM) with up to 16 descriptors. The descriptors stay the
/// caller's. Errors: Unavailable for EAGAIN and for a peer that is gone (EPIPE, no SIGPIPE).
base::Result<> send_message(int socket, std::string_view bytes, const std::vector<int>& fds = {});

struct Message {
  std::string bytes;
  std::vector<UniqueFd> fds;  ///< close-on-exec
};
/// nullopt at the end of the stream. Errors: InvalidArgument for a packet longer than `limit`.
base::Result<std::optional<Message>> receive_message(int socket, std::size_t limit);

}  // namespace sys
