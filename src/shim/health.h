#pragma once
/// Health checks: what a shim is told to try again and again, and what becomes of the results. The states
/// and their rules are docker's (detail/health_record.h); what was found has the form that inspect shows.

#include <cstdint>
#include <string>
#include <vector>

#include "codec/describe.h"
#include "spec/engine/container_state.h"

namespace shim {

/// All members are given: the engine has filled docker's defaults in. Times in nanoseconds.
struct HealthCheck {
  /// "exec": a process in the container, healthy with exit code 0. "tcp": somebody accepts connections.
  /// "http": a GET answers with a status from 200 to 399. The last two are made by the shim itself, from a
  /// socket in the container's network namespace.
  std::string kind;
  std::string process;  ///< exec: JSON of the OCI "process", as text since that is the smallest
  std::string address;  ///< tcp, http: an IP address
  std::uint16_t port = 0;
  std::string authority, target;  ///< http: "127.0.0.1:8080", "/path?query"
  std::int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;
  std::int64_t retries = 0;
  /// Results of the run before, which stay visible until five new ones have come.
  std::vector<spec::api::HealthLogEntry> log;
};
void describe(auto& v, HealthCheck& check) {
  v("kind", check.kind);
  v.opt("process", check.process);
  v.opt("address", check.address);
  v.opt("port", check.port);
  v.opt("authority", check.authority);
  v.opt("target", check.target);
  v("interval", check.interval);
  v("timeout", check.timeout);
  v("start_period", check.start_period);
  v("start_interval", check.start_interval);
  v("retries", check.retries);
  v.opt("log", check.log);
}

}  // namespace shim
