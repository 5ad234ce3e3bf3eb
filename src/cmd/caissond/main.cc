/// caissond: reads its configuration, opens the engine, serves the Engine API until it is told to end.

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <grp.h>
#include <unistd.h>

#include <fmt/format.h>

#include "api/router.h"
#include "base/log.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "base/version.h"
#include "cmd/caissond/config.h"
#include "http/server.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/signals.h"

namespace caissond {
namespace {

using base::Result;

constexpr auto kGrace = std::chrono::seconds{5};

void print(std::FILE* stream, const std::string& text) { std::fwrite(text.data(), 1, text.size(), stream); }

/// The programs that stand beside caissond, and the image archives of its installation.
Result<> find_companions(engine::Options& options) {
  const std::string self = TRY(sys::self_exe());
  const std::string bin = self.substr(0, self.rfind('/'));
  if (options.shim_path.empty()) options.shim_path = bin + "/caisson-shim";
  if (!TRY(sys::exists(sys::kCwd, options.shim_path))) {
    return base::not_found(options.shim_path + " is missing: caissond and caisson-shim are installed side by side");
  }
  if (options.images_path.empty()) {
    const std::string images = bin.substr(0, bin.rfind('/')) + "/share/caisson/images";
    if (TRY(sys::exists(sys::kCwd, images))) options.images_path = images;
  }
  return {};
}

/// Neither a dead process that nobody has reaped yet nor another program that got its number counts.
bool is_running_daemon(std::int64_t pid) {
  if (pid == ::getpid()) return false;
  const auto process = sys::Process::open(static_cast<pid_t>(pid));
  if (!process || !process->alive()) return false;
  const auto its_name = sys::read_file(sys::kCwd, fmt::format("/proc/{}/comm", pid));
  const auto my_name = sys::read_file(sys::kCwd, "/proc/self/comm");
  return !its_name || !my_name || *its_name == *my_name;
}

Result<> write_pidfile(const std::string& path) {
  if (const auto old = sys::read_file(sys::kCwd, path)) {
    const auto pid = base::parse_int(base::trim(*old));
    if (pid && is_running_daemon(*pid)) {
      return base::conflict(fmt::format("process with PID {} is still running: make sure caissond is not running, "
                                        "or delete {}",
                                        *pid, path));
    }
  }
  const auto slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) TRY(sys::make_dirs(sys::kCwd, path.substr(0, slash), 0755));
  return sys::write_file_atomic(sys::kCwd, path, fmt::format("{}", ::getpid()), 0644);
}

/// The group that may use the socket: the one that was asked for, else "caisson" or "docker" if there
/// is one.
Result<std::optional<gid_t>> socket_group(const std::string& wanted) {
  const auto gid_of = [](const std::string& name) -> std::optional<gid_t> {
    const auto* entry = ::getgrnam(name.c_str());  // NOLINT(concurrency-mt-unsafe): before any thread
    if (entry == nullptr) return std::nullopt;
    return entry->gr_gid;
  };
  if (wanted.empty()) {
    const auto own = gid_of("caisson");
    return own ? own : gid_of("docker");
  }
  if (const auto number = base::parse_uint(wanted)) return std::optional{static_cast<gid_t>(*number)};
  const auto gid = gid_of(wanted);
  if (!gid) return base::not_found("group " + wanted + " not found");
  return gid;
}

Result<std::vector<http::Listener>> listen(const Config& config) {
  http::ListenOptions options;
  options.group = TRY(socket_group(config.group));
  if (config.tls) {
    options.tls = TRY(http::TlsContext::server({config.tls_ca, config.tls_cert, config.tls_key},
                                               config.tls_verify ? http::VerifyPeer::Yes : http::VerifyPeer::No));
  }
  auto hosts = config.hosts;
  if (hosts.empty()) hosts.push_back("unix://" + config.engine.exec_root + "/caissond.sock");
  std::vector<http::Listener> listeners;
  for (const auto& host : hosts) {
    auto some = TRY(http::listen_on(host, options).context("failed to load listeners: " + host));
    for (auto& listener : some) {
      if (listener.name.starts_with("tcp://") && !listener.tls) {
        base::log::warn("{} is open to everybody who can reach it, and that gives root on this machine: use --tlsverify",
                        listener.name);
      }
      listeners.push_back(std::move(listener));
    }
  }
  return listeners;
}

void apply_log_level(const Config& config) {
  const auto level = base::log::parse_level(config.engine.debug ? "debug" : config.log_level);
  if (level) base::log::set_level(*level);
}

/// What may change while the daemon runs; the rest is read at the next start.
void reload(std::span<char* const> arguments) {
  const auto config = read_config(arguments);
  if (!config) {
    base::log::error("configuration not reloaded: {}", config.error().message());
    return;
  }
  apply_log_level(*config);
  base::log::info("Reloaded configuration: debug={} log-level={}", config->engine.debug, config->log_level);
}

/// Serves until SIGTERM or SIGINT.
Result<> serve(Config& config, std::span<char* const> arguments) {
  TRY(sys::block_signals({SIGTERM, SIGINT, SIGHUP}));
  sys::ignore_sigpipe();
  TRY(find_companions(config.engine));
  TRY(sys::make_dirs(sys::kCwd, config.engine.exec_root, 0711));
  if (config.pidfile.empty()) config.pidfile = config.engine.exec_root + "/caissond.pid";
  TRY(write_pidfile(config.pidfile));
  base::ScopeGuard remove_pidfile{[&] { base::ignore(sys::unlink_at(sys::kCwd, config.pidfile), "best effort"); }};

  const auto engine = TRY(engine::Engine::open(config.engine).context("failed to start daemon"));
  api::Router router{api::Services{engine->containers(), engine->execs(), engine->files(), engine->images(), engine->networks(),
                                   engine->volumes(), engine->registries(), engine->system(), engine->events()}};
  auto listeners = TRY(listen(config));
  const auto server = TRY(http::Server::start(router, std::move(listeners)));
  for (const auto& name : server->names()) base::log::info("API listen on {}", name);
  while (true) {
    const int signal = TRY(sys::wait_for_signal({SIGTERM, SIGINT, SIGHUP}));
    if (signal == SIGHUP) {
      reload(arguments);
      continue;
    }
    base::log::info("Processing signal '{}'", signal == SIGTERM ? "terminated" : "interrupt");
    break;
  }
  server->stop(kGrace);
  engine->shutdown();
  return {};
}

int run(std::span<char* const> arguments) {
  auto config = read_config(arguments);
  if (!config) {
    print(stderr, "caissond: " + config.error().message() + "\n\nRun 'caissond --help' for more information\n");
    return 1;
  }
  if (config->help) {
    print(stdout, help_text());
    return 0;
  }
  if (config->version) {
    print(stdout, fmt::format("Caisson version {}\n", base::kVersion));
    return 0;
  }
  if (const auto level = base::log::parse_level(config->log_level); !level) {
    print(stderr, "caissond: " + level.error().message() + "\n");
    return 1;
  }
  if (config->validate) {
    print(stdout, "configuration OK\n");
    return 0;
  }
  apply_log_level(*config);
  if (config->log_format == "json") base::log::set_format(base::log::Format::Json);
  for (const auto& warning : config->warnings) base::log::warn("{}", warning);
  if (::geteuid() != 0) {
    print(stderr, "caissond: needs to be started with root privileges: it makes namespaces, mounts and bridges\n");
    return 1;
  }
  if (const auto done = serve(*config, arguments); !done) {
    print(stderr, "caissond: " + done.error().message() + "\n");
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace caissond

int main(int argc, char** argv) {
  return caissond::run(std::span{argv, static_cast<std::size_t>(argc)}.subspan(argc > 0 ? 1 : 0));
}
