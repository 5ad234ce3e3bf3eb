#pragma once
/// A daemon behind ssh: `ssh://user@host:port/run/x.sock`. Every connection is one `ssh` that runs
/// `docker system dial-stdio` there, or `caisson system dial-stdio` where there is no docker. Keys, agents,
/// jumps and host aliases are ssh's own affair (~/.ssh/config).

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace client {

struct SshHost {
  std::string user, name, port;
  std::string socket;  ///< of the daemon on that host; "" for its client's default
};

/// Errors: InvalidArgument, "ssh host connection is not valid: invalid SSH URL: …" in docker's words.
base::Result<SshHost> parse_ssh_host(std::string_view url);
/// What ssh is called with; `program` is the client's name on the other side.
[[nodiscard]] std::vector<std::string> ssh_command(const SshHost& host, std::string_view program);
[[nodiscard]] std::shared_ptr<http::Dialer> make_ssh_dialer(SshHost host);

}  // namespace client
