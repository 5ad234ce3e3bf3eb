#include "http/listener.h"

#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/stream_socket.h"

namespace http {

using base::Result;

namespace {

/// The first descriptor that systemd passes: SD_LISTEN_FDS_START.
constexpr int kFirstInherited = 3;
/// In the place of a host whose sockets were taken; no host looks like this.
constexpr std::string_view kClaimed = "-";

Result<Listener> listen_at_path(const std::string& path, const ListenOptions& options) {
  if (path.empty()) return base::invalid("invalid host unix://: no path");
  // The group is set before anybody of it may connect.
  Listener out{TRY(sys::listen_unix(path, SOCK_STREAM, options.group ? 0600 : options.mode)), nullptr,
               "unix://" + path, {}};
  if (options.group) {
    TRY(sys::give_to_group(path, *options.group, options.mode));
  }
  return out;
}

Result<Listener> listen_at_address(std::string_view address, const ListenOptions& options) {
  const auto colon = address.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : base::parse_uint(address.substr(colon + 1));
  if (!port || *port > UINT16_MAX) {
    return base::invalid(fmt::format("invalid bind address tcp://{}: want host:port", address));
  }
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Listener out{TRY(sys::listen_tcp(std::string{host}, static_cast<std::uint16_t>(*port))), options.tls, {}, {}};
  out.name = "tcp://" + TRY(sys::local_name(out.socket.get()));
  return out;
}

Result<Listener> adopt(int fd, const ListenOptions& options) {
  sys::UniqueFd socket{fd};
  if (auto listening = sys::is_listening(fd); !listening || !*listening) {
    static_cast<void>(socket.release());  // not ours to close
    return base::invalid(fmt::format("inherited descriptor {} is no listening socket", fd));
  }
  TRY(sys::set_cloexec(fd, true));
  const bool is_unix = TRY(sys::socket_family(fd)) == AF_UNIX;
  const std::string name = TRY(sys::local_name(fd));
  return Listener{std::move(socket), is_unix ? nullptr : options.tls,
                  (is_unix ? "unix://" : "tcp://") + name, {}};
}

std::string_view environment(const char* name) {
  const char* value = ::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::string_view{} : value;
}

/// Source: sd_listen_fds(3), sd_listen_fds_with_names(3).
Result<std::vector<Listener>> inherit(std::string_view which, const ListenOptions& options) {
  const auto pid = base::parse_uint(environment("LISTEN_PID"));
  const auto count = base::parse_uint(environment("LISTEN_FDS"));
  if (!pid || *pid != static_cast<std::uint64_t>(::getpid()) || !count || *count == 0 || *count > 64) {
    return base::not_found(
        "no sockets found via socket activation: make sure the service was started by systemd");
  }
  const auto names = base::split(environment("LISTEN_FDNAMES"), ':');
  std::vector<Listener> out;
  for (std::size_t i = 0; i < *count; ++i) {
    const int fd = kFirstInherited + static_cast<int>(i);
    const bool wanted = which.empty() || which == "*" || which == std::to_string(fd) ||
                        (i < names.size() && which == names[i]);
    if (wanted) out.push_back(TRY(adopt(fd, options)));
  }
  if (out.empty())
    return base::not_found(fmt::format("failed to find systemd activated socket: fd://{}", which));
  return out;
}

/// What the program before this one in this process left for `host`.
Result<std::vector<Listener>> take_over(std::string_view host, const ListenOptions& options) {
  std::vector<Listener> out;
  std::vector<std::string> hosts;
  int fd = kFirstInherited;
  for (const auto left : base::split_words(environment(kHandedOver.data()), '\n')) {
    const bool taken = left == host;
    if (taken) out.push_back(TRY(adopt(fd, options)));
    hosts.emplace_back(taken ? kClaimed : left);
    ++fd;
  }
  if (!out.empty()) ::setenv(kHandedOver.data(), base::join(hosts, "\n").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  return out;
}

Result<std::vector<Listener>> open_new(std::string_view host, const ListenOptions& options) {
  std::vector<Listener> out;
  const auto scheme = base::cut(host, "://");
  if (!scheme && host.starts_with('/')) {
    out.push_back(TRY(listen_at_path(std::string{host}, options)));
  } else if (!scheme) {
    return base::invalid(fmt::format("invalid bind address ({}): want unix://, tcp:// or fd://", host));
  } else if (scheme->first == "unix") {
    out.push_back(TRY(listen_at_path(std::string{scheme->second}, options)));
  } else if (scheme->first == "tcp") {
    out.push_back(TRY(listen_at_address(scheme->second, options)));
  } else if (scheme->first == "fd") {
    return inherit(scheme->second, options);
  } else {
    return base::invalid(fmt::format("invalid protocol in bind address {}: want unix, tcp or fd", host));
  }
  return out;
}

}  // namespace

Result<std::vector<Listener>> listen_on(std::string_view host, const ListenOptions& options) {
  auto out = TRY(take_over(host, options));
  if (out.empty()) out = TRY(open_new(host, options));
  for (Listener& listener : out) listener.host = host;
  return out;
}

void close_unclaimed() {
  int fd = kFirstInherited;
  for (const auto left : base::split_words(environment(kHandedOver.data()), '\n')) {
    if (left != kClaimed) sys::UniqueFd{fd}.reset();
    ++fd;
  }
  ::unsetenv(kHandedOver.data());  // NOLINT(concurrency-mt-unsafe): before any thread
}

}  // namespace http
