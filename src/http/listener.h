#pragma once
/// Where a server listens, from dockerd's -H forms.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "http/tls.h"
#include "sys/fd.h"

namespace http {

/// A listening socket. Destroying it closes the socket and leaves a unix socket's file: whoever made
/// the path removes it.
struct Listener {
  sys::UniqueFd socket;
  std::shared_ptr<TlsContext> tls;  ///< null: plain
  std::string name;                 ///< "unix:///run/caisson/caissond.sock", "tcp://127.0.0.1:2376"
  std::string host;                 ///< what listen_on was asked for
};

struct ListenOptions {
  std::shared_ptr<TlsContext> tls;  ///< for tcp only
  mode_t mode = 0660;               ///< of a unix socket
  std::optional<gid_t> group;       ///< that owns it
};

/// `host`: "unix:///path", "tcp://address:port" (port 0 picks one, which `name` then shows), or
/// "fd://" for all sockets that systemd passed (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3)) or
/// "fd://3", "fd://name" for one of them. A path without a scheme is a unix socket.
/// Errors: InvalidArgument (malformed), Conflict (address in use, or a file that is no socket),
/// NotFound (no such inherited socket).
base::Result<std::vector<Listener>> listen_on(std::string_view host, const ListenOptions& options = {});

/// The variable by which a program leaves its listening sockets to the one that it executes: the hosts that they serve, one a line, in
/// the order of their descriptors from 3 on. listen_on takes them instead of opening new ones.
inline constexpr std::string_view kHandedOver = "CAISSON_LISTENERS";
/// Those that no host asked for are closed, and the variable is gone. After the last listen_on.
void close_unclaimed();

}  // namespace http
