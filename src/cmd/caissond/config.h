#pragma once
/// What caissond is told: dockerd's flags (config.cc) and daemon.json's keys (config_file.cc). A key sets its flag, so
/// there is one grammar and one default for both.

#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "engine/engine.h"
#include "flags/flag_set.h"

namespace caissond {

struct Config {
  engine::Options engine;
  std::vector<std::string> hosts;
  std::string pidfile;
  std::string group;
  std::string config_file = "/etc/caisson/daemon.json";
  std::string log_level = "info", log_format = "text";
  std::string metrics_address;  ///< "" : none
  bool tls = false, tls_verify = false;
  std::string tls_ca, tls_cert, tls_key;
  bool validate = false, version = false, help = false;
  std::vector<std::string> warnings;  ///< of settings that have no effect here
};

/// Reads the command line, then the file, and checks the whole. Errors: InvalidArgument, with dockerd's wording: an
/// unknown flag or key, a key that is given as a flag too, a value of the wrong type or that makes no sense;
/// NotImplemented: a setting that this engine can't honour and must not ignore.
base::Result<Config> read_config(std::span<char* const> arguments);

/// What differs between two configurations and is read at start only: "data-root", as daemon.json names it.
[[nodiscard]] std::vector<std::string> need_restart(Config& now, Config& wanted);

[[nodiscard]] std::string help_text();

}  // namespace caissond
