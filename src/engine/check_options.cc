#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "engine/engine.h"

namespace engine {
namespace {

using base::Result;

/// Names that mean the runtime inside the shim.
constexpr std::array<std::string_view, 3> kBuiltin{"caisson-runtime", "runc", "io.containerd.runc.v2"};

bool is_builtin(std::string_view name) { return std::ranges::find(kBuiltin, name) != kBuiltin.end(); }

Result<> check_labels(const std::vector<std::string>& labels) {
  std::map<std::string_view, std::string_view> seen;
  for (const std::string& label : labels) {
    const auto parts = base::cut(label, "=");
    if (!parts || parts->first.empty()) return base::invalid("bad attribute format: " + label);
    const auto [at, fresh] = seen.emplace(parts->first, parts->second);
    if (!fresh && at->second != parts->second) {
      return base::invalid(
          fmt::format("conflict labels for {}={} and {}={}", parts->first, at->second, parts->first, parts->second));
    }
  }
  return {};
}

Result<> check_mirror(const std::string& mirror) {
  const auto scheme = base::cut(mirror, "://");
  if (!scheme || scheme->second.empty()) return base::invalid(fmt::format("invalid mirror: {} is not a valid URI", base::quoted(mirror)));
  if (scheme->first != "http" && scheme->first != "https") {
    return base::invalid(fmt::format("invalid mirror: unsupported scheme {} in {}", base::quoted(scheme->first), base::quoted(mirror)));
  }
  if (mirror.find_first_of("?#") != std::string::npos) {
    return base::invalid(fmt::format("invalid mirror: path, query, or fragment at end of the URI {}", base::quoted(mirror)));
  }
  return {};
}

Result<> check_registries(const Options& options) {
  for (const std::string& mirror : options.registry_mirrors) TRY(check_mirror(mirror));
  for (const std::string& registry : options.insecure_registries) {
    const auto scheme = base::cut(registry, "://");
    if (scheme && (scheme->first == "http" || scheme->first == "https")) {
      return base::invalid(fmt::format("insecure registry {} should not contain '://'", registry));
    }
    if (scheme || registry.empty()) return base::invalid("insecure registry " + registry + " is not valid");
  }
  return {};
}

Result<> check_runtimes(const Options& options) {
  for (const auto& [name, runtime] : options.runtimes) {
    if (is_builtin(name)) return base::invalid(fmt::format("runtime name '{}' is reserved", name));
    if (name.empty() || runtime.path.empty()) {
      return base::invalid(fmt::format("runtime {}: either a runtimeType or a path must be configured", base::quoted(name)));
    }
  }
  const std::string& chosen = options.default_runtime;
  if (!chosen.empty() && !is_builtin(chosen) && !options.runtimes.contains(chosen)) {
    return base::invalid(fmt::format("specified default runtime '{}' does not exist", chosen));
  }
  return {};
}

Result<> check_modes(const Options& options) {
  const std::string& ipc = options.default_ipc_mode;
  if (ipc != "private" && ipc != "shareable") {
    return base::invalid(fmt::format("IPC mode \"{}\" is not supported as default value", ipc));
  }
  const std::string& cgroup = options.default_cgroupns_mode;
  if (!cgroup.empty() && cgroup != "host" && cgroup != "private") {
    return base::invalid(fmt::format("default cgroup namespace mode ({}) is invalid: use \"host\" or \"private\"", cgroup));
  }
  return {};
}

Result<> check_numbers(const Options& options) {
  const auto positive = [](int value, std::string_view what) -> Result<> {
    return value > 0 ? Result<>{} : base::invalid(fmt::format("invalid {}: {}", what, value));
  };
  TRY(positive(options.max_concurrent_downloads, "max concurrent downloads"));
  TRY(positive(options.max_concurrent_uploads, "max concurrent uploads"));
  TRY(positive(options.max_download_attempts, "max download attempts"));
  if (options.mtu < 0) return base::invalid(fmt::format("invalid default MTU: {}", options.mtu));
  if (options.default_shm_size < 0) return base::invalid("invalid default shm size: must not be negative");
  return {};
}

/// An address of either family: what resolv.conf takes.
bool is_address(std::string_view text) {
  const bool six = text.find(':') != std::string_view::npos;
  return !text.empty() && text.find_first_not_of(six ? "0123456789abcdefABCDEF:.%" : "0123456789.") == std::string_view::npos &&
         (six || std::ranges::count(text, '.') == 3);
}

}  // namespace

Result<> check_options(const Options& options) {
  for (const auto* path : {&options.data_root, &options.exec_root}) {
    if (!path->starts_with('/')) return base::invalid(fmt::format("{}: want an absolute path", base::quoted(*path)));
  }
  for (const std::string& server : options.dns) {
    if (!is_address(server)) return base::invalid(server + " is not an ip address");
  }
  TRY(check_labels(options.labels));
  TRY(check_registries(options));
  TRY(check_runtimes(options));
  TRY(check_modes(options));
  return check_numbers(options);
}

}  // namespace engine
