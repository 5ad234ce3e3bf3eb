#include "cmd/caissond/listeners.h"

#include <optional>

#include <grp.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "sys/file.h"

namespace caissond {
namespace {

using base::Result;

constexpr std::string_view kPlainPort = "2375", kTlsPort = "2376";

/// From /etc/group; asking the whole of NSS would load its libraries for good.
std::optional<gid_t> gid_in_file(const std::string& name) {
  const auto text = sys::read_file(sys::kCwd, "/etc/group");
  if (!text) return std::nullopt;
  for (const auto line : base::split(*text, '\n')) {
    const auto fields = base::split(line, ':');
    if (fields.size() < 3 || fields[0] != name) continue;
    if (const auto gid = base::parse_uint(fields[2])) return static_cast<gid_t>(*gid);
  }
  return std::nullopt;
}

/// The group that may use the socket: the one that was asked for, else "caisson" or "docker" if there
/// is one.
Result<std::optional<gid_t>> socket_group(const std::string& wanted) {
  if (wanted.empty()) {
    const auto own = gid_in_file("caisson");
    return own ? own : gid_in_file("docker");
  }
  if (const auto number = base::parse_uint(wanted)) return std::optional{static_cast<gid_t>(*number)};
  if (const auto gid = gid_in_file(wanted)) return gid;
  const auto* entry = ::getgrnam(wanted.c_str());  // NOLINT(concurrency-mt-unsafe): before any thread
  if (entry == nullptr) return base::not_found("group " + wanted + " not found");
  return std::optional{entry->gr_gid};
}

}  // namespace

Result<std::string> full_host(std::string_view host, const Config& config) {
  const std::string text{base::trim(host)};
  if (text.empty() || text == "unix://") return "unix://" + config.engine.exec_root + "/caissond.sock";
  if (text.starts_with('/')) return "unix://" + text;
  std::string_view address = text;
  if (const auto scheme = base::cut(text, "://")) {
    if (scheme->first != "tcp") return text;
    address = scheme->second;
  }
  const auto slash = address.find('/');
  if (slash != std::string_view::npos && slash + 1 < address.size()) {
    return base::invalid(fmt::format("invalid bind address ({}): should not contain a path element", host));
  }
  address = address.substr(0, slash);
  const std::string_view port = config.tls ? kTlsPort : kPlainPort;
  if (address.empty()) return fmt::format("tcp://localhost:{}", port);
  if (address.starts_with(':')) return fmt::format("tcp://0.0.0.0{}{}", address, address.size() == 1 ? port : "");
  const auto colon = address.rfind(':');
  const bool has_port = colon != std::string_view::npos && address.find(']', colon) == std::string_view::npos;
  if (!has_port) return fmt::format("tcp://{}:{}", address, port);
  return fmt::format("tcp://{}{}", address, colon + 1 == address.size() ? port : "");
}

Result<std::vector<http::Listener>> open_listeners(const Config& config) {
  http::ListenOptions options;
  options.group = TRY(socket_group(config.group));
  if (config.tls) {
    options.tls = TRY(http::TlsContext::server({config.tls_ca, config.tls_cert, config.tls_key},
                                               config.tls_verify ? http::VerifyPeer::Yes : http::VerifyPeer::No));
  }
  auto hosts = config.hosts;
  if (hosts.empty()) hosts.emplace_back();
  std::vector<http::Listener> listeners;
  for (const auto& given : hosts) {
    const std::string host = TRY(full_host(given, config));
    auto some = TRY(http::listen_on(host, options).context("failed to load listeners: " + host));
    for (auto& listener : some) {
      if (listener.name.starts_with("tcp://") && !listener.tls) {
        base::log::warn("[DEPRECATION NOTICE]: API is accessible on http://{} without encryption. Access to the remote API "
                        "is equivalent to root access on the host: use --tlsverify",
                        std::string_view{listener.name}.substr(6));
      } else if (listener.tls && !config.tls_verify) {
        base::log::warn("{} lets everybody in who can reach it, and that gives root on this machine: use --tlsverify",
                        listener.name);
      }
      listeners.push_back(std::move(listener));
    }
  }
  return listeners;
}

Result<std::vector<http::Listener>> open_metrics_listeners(const Config& config) {
  if (config.metrics_address.empty()) return std::vector<http::Listener>{};
  return http::listen_on("tcp://" + config.metrics_address).context("error starting metrics server");
}

}  // namespace caissond
