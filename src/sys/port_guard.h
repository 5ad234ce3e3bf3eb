#pragma once
/// A socket that keeps a port of the host from other programs without serving it.

#include <cstdint>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// Binds `port` of `address` (IPv4, host order; 0: every address) for `protocol` (IPPROTO_TCP, _UDP,
/// _SCTP) and listens to nothing: a connection that gets here is refused by the kernel. While the
/// socket lives, bind(2) of any other program fails with EADDRINUSE.
/// Errors: Conflict with EADDRINUSE (another program has the port), Unavailable with EADDRNOTAVAIL
/// (not an address of this host), PermissionDenied. An invalid descriptor, and no error, where the
/// kernel has no such sockets (SCTP): then no program here can have the port either.
base::Result<UniqueFd> guard_port(int protocol, std::uint32_t address, std::uint16_t port);

}  // namespace sys
