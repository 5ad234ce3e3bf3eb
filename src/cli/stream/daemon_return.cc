#include "cli/stream/daemon_return.h"

#include <fmt/format.h>

#include "sys/socket.h"
#include "sys/stream_socket.h"

namespace cli {

using base::Result;

Result<DaemonReturn> DaemonReturn::watch(Cli& cli) {
  const std::string host = TRY(cli.client())->host();
  constexpr std::string_view kUnix = "unix://";
  if (!host.starts_with(kUnix)) {
    return base::unavailable(fmt::format("the daemon at {} went away", host));
  }
  std::string socket = host.substr(kUnix.size());
  const auto slash = socket.rfind('/');
  auto watch = TRY(sys::DirWatch::open(slash == 0 ? "/" : socket.substr(0, slash))
                       .context("wait for the daemon to return"));
  cli.err().line("The daemon at {} went away; waiting up to {} s for its return.", host, kPatience.count());
  return DaemonReturn{std::move(watch), std::move(socket)};
}

Result<bool> DaemonReturn::is_back() {
  watch_.clear();
  const auto connection = sys::connect_unix(socket_, SOCK_STREAM);
  if (connection) return true;
  const auto& error = connection.error();
  if (error.is(base::ErrorKind::NotFound) || error.is(base::ErrorKind::Unavailable)) return false;
  return error;
}

Result<> DaemonReturn::wait() {
  while (!TRY(is_back())) {
    if (!TRY(sys::wait_ready(watch_.fd(), POLLIN, deadline_))) {
      return base::unavailable(
          fmt::format("the daemon at unix://{} did not return within {} s", socket_, kPatience.count()));
    }
  }
  return {};
}

}  // namespace cli
