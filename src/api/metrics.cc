#include "api/metrics.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/version.h"
#include "sys/process_usage.h"

namespace api {
namespace {

constexpr std::string_view kContainerActions = "engine_daemon_container_actions_seconds";
constexpr std::string_view kImageActions = "engine_daemon_image_actions_seconds";
constexpr std::string_view kNetworkActions = "engine_daemon_network_actions_seconds";
constexpr std::string_view kHostInfo = "engine_daemon_host_info_functions_seconds";

/// Which route is which action of docker's metrics.
struct Timed {
  std::string_view method, pattern, metric, action;
};
constexpr std::array kTimed{
    Timed{"GET", "/containers/{id}/changes", kContainerActions, "changes"},
    Timed{"POST", "/commit", kContainerActions, "commit"},
    Timed{"POST", "/containers/create", kContainerActions, "create"},
    Timed{"DELETE", "/containers/{id}", kContainerActions, "delete"},
    Timed{"POST", "/containers/{id}/start", kContainerActions, "start"},
    Timed{"POST", "/containers/{id}/stop", kContainerActions, "stop"},
    Timed{"POST", "/containers/{id}/exec", kContainerActions, "exec"},
    Timed{"POST", "/images/create", kImageActions, "pull"},
    Timed{"POST", "/images/{name...}/push", kImageActions, "push"},
    Timed{"POST", "/images/load", kImageActions, "load"},
    Timed{"DELETE", "/images/{name...}", kImageActions, "delete"},
    Timed{"POST", "/images/{name...}/tag", kImageActions, "tag"},
    Timed{"POST", "/networks/create", kNetworkActions, "create"},
    Timed{"DELETE", "/networks/{id}", kNetworkActions, "delete"},
    Timed{"POST", "/networks/{id}/connect", kNetworkActions, "connect"},
    Timed{"POST", "/networks/{id}/disconnect", kNetworkActions, "disconnect"},
    Timed{"GET", "/info", kHostInfo, "system_info"},
    Timed{"GET", "/version", kHostInfo, "system_version"},
};

std::string_view label_of(std::string_view metric) { return metric == kHostInfo ? "function" : "action"; }

void append_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void append_one(std::string& out, std::string_view name, std::string_view type, std::string_view help, double value) {
  append_head(out, name, type, help);
  fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
}

/// A label's value: backslash, quote and line break are escaped.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void append_engine(std::string& out, engine::System& system) {
  const auto info = system.info();
  if (!info) return;
  constexpr std::string_view kStates = "engine_daemon_container_states_containers";
  append_head(out, kStates, "gauge", "The count of containers in various states");
  for (const auto& [state, count] : {std::pair{"paused", info->containers_paused}, {"running", info->containers_running},
                                     {"stopped", info->containers_stopped}}) {
    fmt::format_to(std::back_inserter(out), "{}{{state=\"{}\"}} {}\n", kStates, state, count);
  }
  append_one(out, "engine_daemon_engine_cpus_cpus", "gauge", "The number of cpus that the host system of the engine has",
             static_cast<double>(info->n_cpu));
  append_head(out, "engine_daemon_engine_info", "gauge",
              "The information related to the engine and the OS it is running on");
  fmt::format_to(std::back_inserter(out),
                 "engine_daemon_engine_info{{architecture=\"{}\",commit=\"\",daemon_id=\"{}\",graphdriver=\"{}\",kernel=\"{}\","
                 "os=\"{}\",os_type=\"{}\",os_version=\"{}\",version=\"{}\"}} 1\n",
                 escaped(info->architecture), escaped(info->id), escaped(info->driver), escaped(info->kernel_version),
                 escaped(info->operating_system), info->os_type, escaped(info->os_version), base::kVersion);
  append_one(out, "engine_daemon_engine_memory_bytes", "gauge", "The number of bytes of memory that the host system of the engine has",
             static_cast<double>(info->mem_total));
  append_one(out, "caisson_images", "gauge", "Images of this engine", static_cast<double>(info->images));
}

void append_process(std::string& out) {
  const auto usage = sys::usage_of_this_process();
  append_one(out, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", usage.cpu_seconds);
  append_one(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
             static_cast<double>(usage.resident_bytes));
  append_one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
             static_cast<double>(usage.virtual_bytes));
  append_one(out, "process_open_fds", "gauge", "Number of open file descriptors.", static_cast<double>(usage.open_files));
  append_one(out, "process_max_fds", "gauge", "Maximum number of open file descriptors.", static_cast<double>(usage.max_files));
  append_one(out, "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.",
             usage.start_time);
}

}  // namespace

void Histogram::observe(std::chrono::nanoseconds time) {
  const double seconds = std::chrono::duration<double>{time}.count();
  ++count_;
  sum_ += seconds;
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(kBounds, seconds) - kBounds.begin());
  if (bucket < buckets_.size()) ++buckets_[bucket];
}

void Histogram::append_to(std::string& out, std::string_view name, std::string_view labels) const {
  const std::string_view comma = labels.empty() ? "" : ",";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    below += buckets_[i];
    fmt::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, kBounds[i], below);
  }
  fmt::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"+Inf\"}} {}\n", name, labels, comma, count_);
  const std::string braces = labels.empty() ? std::string{} : fmt::format("{{{}}}", labels);
  fmt::format_to(std::back_inserter(out), "{}_sum{} {}\n{}_count{} {}\n", name, braces, sum_, name, braces, count_);
}

Metrics::Metrics() {
  // From the first scrape on, so that rates begin at zero.
  for (const Timed& row : kTimed) actions_[{row.metric, row.action}];
}

void Metrics::count(std::string_view method, std::string_view pattern, int status, std::chrono::nanoseconds time) {
  const auto* const row = std::ranges::find_if(
      kTimed, [&](const Timed& timed) { return timed.method == method && timed.pattern == pattern; });
  const std::lock_guard lock{mutex_};
  ++requests_[{std::string{method}, status}];
  request_time_.observe(time);
  if (row != kTimed.end() && status >= 200 && status < 300) actions_[{row->metric, row->action}].observe(time);
}

void Metrics::append_to(std::string& out) const {
  const std::lock_guard lock{mutex_};
  std::string_view last;
  for (const auto& [action, histogram] : actions_) {
    if (action.first != last) {
      append_head(out, action.first, "histogram", "The number of seconds it takes to process each action");
      last = action.first;
    }
    histogram.append_to(out, action.first, fmt::format("{}=\"{}\"", label_of(action.first), action.second));
  }
  append_head(out, "caisson_api_requests_total", "counter", "Requests that the API answered, by method and status");
  for (const auto& [key, count] : requests_) {
    fmt::format_to(std::back_inserter(out), "caisson_api_requests_total{{method=\"{}\",code=\"{}\"}} {}\n",
                   escaped(key.first), key.second, count);
  }
  append_head(out, "caisson_api_request_seconds", "histogram", "How long answers took, those that wait included");
  request_time_.append_to(out, "caisson_api_request_seconds", "");
}

std::string MetricsHandler::text() {
  std::string out;
  metrics_.append_to(out);
  append_engine(out, services_.system);
  append_one(out, "engine_daemon_events_subscribers_total", "gauge", "The number of current subscribers to events",
             static_cast<double>(services_.events.listeners()));
  append_one(out, "engine_daemon_events_total", "counter", "The number of events logged",
             static_cast<double>(services_.events.published()));
  if (server_ != nullptr) {
    const auto counters = server_->counters();
    append_one(out, "caisson_api_connections", "gauge", "Open connections of the API", static_cast<double>(counters.connections));
    append_one(out, "caisson_api_busy", "gauge", "Requests that run now", static_cast<double>(counters.running));
    append_one(out, "caisson_api_threads", "gauge", "Threads of the API's pool", static_cast<double>(counters.threads));
  }
  append_process(out);
  return out;
}

void MetricsHandler::handle(http::Exchange& exchange) {
  const auto& request = exchange.request();
  if (request.path != "/metrics" || (request.method != "GET" && request.method != "HEAD")) {
    base::ignore(exchange.respond(404, {{"Content-Type", "text/plain; charset=utf-8"}}, "404 page not found\n"), "the client is gone");
    return;
  }
  base::ignore(exchange.respond(200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, text()), "the client is gone");
}

}  // namespace api
