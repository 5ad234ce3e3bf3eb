#include "cmd/caissond/daemon.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include <unistd.h>

#include "api/router.h"
#include "base/log.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "cmd/caissond/handover.h"
#include "cmd/caissond/listeners.h"
#include "cmd/caissond/pidfile.h"
#include "http/server.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/signals.h"

namespace caissond {
namespace {

using base::Result;

constexpr auto kGrace = std::chrono::seconds{5};
/// As dockerd: so many requests to end and nobody waits for the containers any more.
constexpr int kImpatience = 3;

std::string_view name_of(int signal) { return signal == SIGTERM ? "terminated" : "interrupt"; }

/// The programs that stand beside caissond, and the image archives of its installation.
Result<> find_companions(engine::Options& options) {
  const std::string self = TRY(sys::self_exe());
  const std::string bin = self.substr(0, self.rfind('/'));
  if (options.shim_path.empty()) options.shim_path = bin + "/caisson-shim";
  if (!TRY(sys::exists(sys::kCwd, options.shim_path))) {
    return base::not_found(options.shim_path + " is missing: caissond and caisson-shim are installed side by side");
  }
  if (options.init_path.empty() && TRY(sys::exists(sys::kCwd, bin + "/caisson-init"))) {
    options.init_path = bin + "/caisson-init";
  }
  if (options.images_path.empty()) {
    const std::string images = bin.substr(0, bin.rfind('/')) + "/share/caisson/images";
    if (TRY(sys::exists(sys::kCwd, images))) options.images_path = images;
  }
  return {};
}

/// curl, which speaks to the registries, looks for its proxies there. Before any thread.
void export_proxies(const engine::Options& options) {
  const auto set = [](const std::string& value, const char* upper, const char* lower) {
    if (value.empty()) return;
    ::setenv(upper, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    ::setenv(lower, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  };
  set(options.http_proxy, "HTTP_PROXY", "http_proxy");
  set(options.https_proxy, "HTTPS_PROXY", "https_proxy");
  set(options.no_proxy, "NO_PROXY", "no_proxy");
}

/// What the manager is told is a courtesy: a failure is only logged.
void tell(const Result<>& told) {
  if (!told) base::log::warn("{}", told.error().message());
}

/// While the daemon ends, counts who asks for it again.
class Impatience {
 public:
  explicit Impatience(int first) {
    watcher_ = std::jthread{[first](const std::stop_token& stop) { watch(first, stop); }};
  }

 private:
  static void watch(int signal, const std::stop_token& stop) {
    constexpr std::chrono::milliseconds kStep{100};
    for (int count = 1; !stop.stop_requested();) {
      const auto next = sys::wait_for_signal({SIGTERM, SIGINT}, kStep);
      if (!next || !*next) continue;
      signal = **next;
      if (++count < kImpatience) continue;
      base::log::warn("Forcing shutdown without cleanup: {} interrupts received", count);
      ::_exit(128 + signal);
    }
  }

  std::jthread watcher_;
};

class Daemon {
 public:
  /// `options`: the configuration's, and what was found beside this program.
  Daemon(Config& config, const engine::Options& options, std::span<char* const> arguments, const sys::ServiceManager& manager)
      : config_{config}, options_{options}, arguments_{arguments}, manager_{manager} {}

  Result<> start() {
    authorization_.use(TRY(api::Authorization::prepare(config_.engine.authorization_plugins)));
    engine_ = TRY(engine::Engine::open(options_).context("failed to start daemon"));
    const api::Services services{engine_->containers(), engine_->execs(), engine_->files(), engine_->images(),
                                 engine_->networks(), engine_->volumes(), engine_->registries(), engine_->system(),
                                 engine_->events()};
    const auto oldest = api::parse_version(config_.engine.min_api_version).value_or(api::oldest_version());
    router_.emplace(services, api::Router::Options{oldest, &metrics_, &authorization_});
    metrics_handler_.emplace(metrics_, services);
    auto listeners = TRY(open_listeners(config_));
    auto metrics_listeners = TRY(open_metrics_listeners(config_));
    http::close_unclaimed();
    server_ = TRY(http::Server::start(*router_, std::move(listeners)));
    for (const auto& name : server_->names()) base::log::info("API listen on {}", name);
    if (metrics_listeners.empty()) return {};
    metrics_handler_->set_server(server_.get());
    metrics_server_ = TRY(http::Server::start(*metrics_handler_, std::move(metrics_listeners)));
    base::log::info("metrics listen on {}", metrics_server_->names().front());
    return {};
  }

  /// Until somebody wants it to end; says who.
  Result<int> run() {
    tell(manager_.tell("READY=1"));
    while (true) {
      const int signal = TRY(sys::wait_for_signal({SIGTERM, SIGINT, SIGHUP, SIGUSR2}));
      if (signal != SIGHUP) return signal;
      tell(manager_.tell_reloading());
      reload();
      tell(manager_.tell("READY=1"));
    }
  }

  /// Returns only on failure. The containers run on, whatever live-restore says.
  Result<> hand_over(const Handover& handover) {
    base::log::info("Handing over to the program that is installed now");
    tell(manager_.tell_reloading());
    auto kept = TRY(server_->duplicate_listeners());
    if (metrics_server_) metrics_server_->stop(std::chrono::milliseconds{0});
    // A request that hangs uses the engine until the end of this program.
    if (server_->stop(kGrace) == 0) engine_.reset();
    return handover.execute(std::move(kept));
  }

  void stop(int signal) {
    base::log::info("Processing signal '{}'", name_of(signal));
    tell(manager_.tell("STOPPING=1"));
    const Impatience impatience{signal};
    if (metrics_server_) metrics_server_->stop(std::chrono::milliseconds{0});
    server_->stop(kGrace);
    engine_->shutdown();
  }

 private:
  /// All or nothing: a configuration with one wrong setting changes none.
  void reload() {
    base::log::info("Got signal to reload configuration, reloading from: {}", config_.config_file);
    auto wanted = read_config(arguments_);
    if (!wanted) return base::log::error("configuration not reloaded: {}", wanted.error().message());
    for (const auto& warning : wanted->warnings) base::log::warn("{}", warning);
    const auto names = need_restart(config_, *wanted);
    if (!names.empty()) base::log::warn("changed, but read at start only: {}: restart the daemon", base::join(names, ", "));
    const auto plugins = authorization_.prepare(wanted->engine.authorization_plugins);
    if (!plugins) return base::log::error("configuration not reloaded: {}", plugins.error().message());
    if (const auto done = engine_->reload(wanted->engine); !done) {
      return base::log::error("configuration not reloaded: {}", done.error().message());
    }
    authorization_.use(*plugins);
    apply_log_settings(*wanted);
    base::log::info("Reloaded configuration");
  }

  Config& config_;
  const engine::Options& options_;
  const std::span<char* const> arguments_;
  const sys::ServiceManager& manager_;
  api::Metrics metrics_;
  api::Authorization authorization_;
  std::unique_ptr<engine::Engine> engine_;
  std::optional<api::Router> router_;
  std::optional<api::MetricsHandler> metrics_handler_;
  std::unique_ptr<http::Server> server_, metrics_server_;
};

}  // namespace

void apply_log_settings(const Config& config) {
  const auto level = base::log::parse_level(config.engine.debug ? "debug" : config.log_level);
  if (level) base::log::set_level(*level);
  base::log::set_format(config.log_format == "json" ? base::log::Format::Json : base::log::Format::Text);
}

Result<> serve(Config& config, std::span<char* const> arguments, const sys::ServiceManager& manager) {
  TRY(sys::block_signals({SIGTERM, SIGINT, SIGHUP, SIGUSR2}));
  const Handover handover = TRY(Handover::prepare(arguments));
  sys::ignore_sigpipe();
  export_proxies(config.engine);
  engine::Options options = config.engine;
  TRY(find_companions(options));
  TRY(sys::make_dirs(sys::kCwd, config.engine.exec_root, 0711));
  const std::string pidfile = config.pidfile.empty() ? config.engine.exec_root + "/caissond.pid" : config.pidfile;
  TRY(write_pidfile(pidfile));
  base::ScopeGuard remove_pidfile{[&] { base::ignore(sys::unlink_at(sys::kCwd, pidfile), "best effort"); }};

  Daemon daemon{config, options, arguments, manager};
  TRY(daemon.start());
  const int signal = TRY(daemon.run());
  if (signal == SIGUSR2) return daemon.hand_over(handover);
  daemon.stop(signal);
  return {};
}

}  // namespace caissond
