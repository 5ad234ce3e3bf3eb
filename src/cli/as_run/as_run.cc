#include "cli/as_run/as_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/as_run/flag_words.h"

namespace cli {

using spec::api::ContainerConfig;
using spec::api::ContainerInspect;
using spec::api::HealthConfig;
using spec::api::StringList;

namespace {

bool has(const std::optional<StringList>& list, const std::string& item) {
  return list && std::ranges::find(*list, item) != list->end();
}

bool is_shared_network(const std::string& mode) { return mode == "host" || mode.starts_with("container:"); }

void add_identity(FlagWords& words, const ContainerInspect& c, const ContainerConfig& image) {
  const auto& config = c.config;
  words.text("name", c.name.starts_with('/') ? c.name.substr(1) : c.name);
  const bool own_name = config.hostname != c.id.substr(0, 12) && !is_shared_network(c.host_config.network_mode) &&
                        c.host_config.uts_mode != "host";
  if (own_name) words.text("hostname", config.hostname);
  words.text("domainname", config.domainname);
  if (config.user != image.user) words.text("user", config.user);
  if (config.working_dir != image.working_dir) words.text("workdir", config.working_dir);
  for (const auto& variable : config.env.value_or(StringList{})) {
    if (!has(image.env, variable)) words.add("env", variable);
  }
  for (const auto& [name, value] : config.labels.value_or(spec::api::Labels{})) {
    const bool of_image = image.labels && image.labels->contains(name) && image.labels->at(name) == value;
    if (!of_image) words.add("label", name + "=" + value);
  }
  if (config.stop_signal != image.stop_signal) words.text("stop-signal", config.stop_signal);
  if (config.stop_timeout) words.add("stop-timeout", fmt::to_string(*config.stop_timeout));
}

/// -i, -t, -d and -a.
void add_streams(FlagWords& words, const ContainerConfig& config) {
  words.flag("interactive", config.open_stdin);
  words.flag("tty", config.tty);
  if (!config.attach_stdin && !config.attach_stdout && !config.attach_stderr) {
    words.flag("detach", true);
    return;
  }
  const bool usual = config.attach_stdout && config.attach_stderr && config.attach_stdin == config.open_stdin;
  if (usual) return;
  if (config.attach_stdin) words.add("attach", "stdin");
  if (config.attach_stdout) words.add("attach", "stdout");
  if (config.attach_stderr) words.add("attach", "stderr");
}

void add_health(FlagWords& words, const ContainerConfig& config, const ContainerConfig& image) {
  if (!config.healthcheck) return;
  const HealthConfig& health = *config.healthcheck;
  const HealthConfig inherited = image.healthcheck.value_or(HealthConfig{});
  if (!health.test.empty() && health.test[0] == "NONE") return words.flag("no-healthcheck", true);
  if (health.test != inherited.test && health.test.size() > 1) {
    const StringList command(health.test.begin() + 1, health.test.end());
    words.text("health-cmd", health.test[0] == "CMD-SHELL" ? command[0] : shell_line(command));
  }
  const auto duration = [&](std::string_view name, std::int64_t value, std::int64_t of_image) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (value == 0 || value == of_image) return;
    words.add(name, value % kSecond == 0 ? fmt::format("{}s", value / kSecond) : fmt::format("{}ns", value));
  };
  duration("health-interval", health.interval, inherited.interval);
  duration("health-timeout", health.timeout, inherited.timeout);
  duration("health-start-period", health.start_period, inherited.start_period);
  duration("health-start-interval", health.start_interval, inherited.start_interval);
  if (health.retries != inherited.retries) words.number("health-retries", health.retries);
}

struct CommandPart {
  std::optional<std::string> entrypoint;
  StringList arguments;
};

CommandPart command_of(const ContainerConfig& config, const ContainerConfig& image) {
  CommandPart out;
  const StringList entrypoint = config.entrypoint.value_or(StringList{});
  const StringList inherited = image.entrypoint.value_or(StringList{});
  const StringList cmd = config.cmd.value_or(StringList{});
  if (entrypoint != inherited) {
    // A flag holds one word; the others can only be arguments. The image's own command is gone then.
    out.entrypoint = entrypoint.empty() ? std::string{} : entrypoint[0];
    if (entrypoint.size() > 1) out.arguments.assign(entrypoint.begin() + 1, entrypoint.end());
    out.arguments.insert(out.arguments.end(), cmd.begin(), cmd.end());
  } else if (cmd != image.cmd.value_or(StringList{})) {
    out.arguments = cmd;
  }
  return out;
}

}  // namespace

AsRunFacts facts_of(const spec::api::SystemInfo& info) {
  AsRunFacts out;
  out.default_runtime = info.default_runtime;
  if (!info.logging_driver.empty()) out.default_log_driver = info.logging_driver;
  out.default_cgroupns = info.cgroup_version == "1" ? "host" : "private";
  return out;
}

std::vector<std::string> as_run_words(const ContainerInspect& container, const AsRunFacts& facts) {
  const ContainerConfig image = facts.image.value_or(ContainerConfig{});
  FlagWords words{"run"};
  add_identity(words, container, image);
  add_streams(words, container.config);
  add_health(words, container.config, image);
  add_host_flags(words, container, facts);
  add_network_flags(words, container, image);
  add_storage_flags(words, container, image);
  add_resource_flags(words, container.host_config.resources);
  const CommandPart command = command_of(container.config, image);
  if (command.entrypoint) words.add("entrypoint", *command.entrypoint);
  auto out = words.take();
  out.push_back(container.config.image);
  out.insert(out.end(), command.arguments.begin(), command.arguments.end());
  return out;
}

std::string shell_line(const std::vector<std::string>& words) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) {
      if (c == '\'') {
        out += "'\\''";
      } else {
        out += c;
      }
    }
    out += '\'';
  }
  return out;
}

}  // namespace cli
