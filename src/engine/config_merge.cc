#include "engine/config_merge.h"

#include <algorithm>

#include "base/strings.h"

namespace engine {
namespace {

std::string_view key_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

auto find_key(std::vector<std::string>& env, std::string_view key) {
  return std::ranges::find_if(env, [&](const std::string& entry) { return key_of(entry) == key; });
}

bool is_given(const std::optional<spec::api::StringList>& list) { return list && !list->empty(); }

template <class Map>
void unite(std::optional<Map>& user, const std::optional<Map>& image) {
  if (!image || image->empty()) return;
  if (!user) user.emplace();
  user->insert(image->begin(), image->end());  // keeps the user's where both have one
}

void merge_health(std::optional<spec::api::HealthConfig>& user,
                  const std::optional<spec::api::HealthConfig>& image) {
  if (!image) return;
  if (!user) {
    user = image;
    return;
  }
  if (user->test.empty()) user->test = image->test;
  if (user->interval == 0) user->interval = image->interval;
  if (user->timeout == 0) user->timeout = image->timeout;
  if (user->start_period == 0) user->start_period = image->start_period;
  if (user->start_interval == 0) user->start_interval = image->start_interval;
  if (user->retries == 0) user->retries = image->retries;
}

void merge_command(spec::api::ContainerConfig& config, const spec::api::ContainerConfig& image) {
  if (!is_given(config.entrypoint)) {
    if (!is_given(config.cmd)) {
      config.cmd = image.cmd;
      config.args_escaped = image.args_escaped;
    }
    if (!config.entrypoint) config.entrypoint = image.entrypoint;
  }
  if (config.entrypoint && config.entrypoint->size() == 1 && config.entrypoint->front().empty()) {
    config.entrypoint.reset();
  }
}

}  // namespace

base::Result<> merge_image_config(spec::api::ContainerConfig& config, const spec::api::ContainerConfig& image) {
  if (config.user.empty()) config.user = image.user;
  if (config.working_dir.empty()) config.working_dir = image.working_dir;
  if (config.stop_signal.empty()) config.stop_signal = image.stop_signal;
  if (!config.stop_timeout) config.stop_timeout = image.stop_timeout;
  if (!is_given(config.shell)) config.shell = image.shell;
  unite(config.exposed_ports, image.exposed_ports);
  unite(config.volumes, image.volumes);
  unite(config.labels, image.labels);
  merge_health(config.healthcheck, image.healthcheck);
  merge_command(config, image);

  if (!config.env) config.env.emplace();
  for (const std::string& entry : *config.env) {
    if (entry.empty() || entry.front() == '=') return base::invalid("invalid environment variable: " + entry);
  }
  if (image.env) {
    for (const std::string& entry : *image.env) {
      if (find_key(*config.env, key_of(entry)) == config.env->end()) config.env->push_back(entry);
    }
  }
  if (command_line(config).empty()) return base::invalid("no command specified");
  return {};
}

std::vector<std::string> command_line(const spec::api::ContainerConfig& config) {
  std::vector<std::string> line = config.entrypoint.value_or(spec::api::StringList{});
  if (config.cmd) line.insert(line.end(), config.cmd->begin(), config.cmd->end());
  return line;
}

void apply_env(std::vector<std::string>& env, const std::vector<std::string>& more) {
  for (const std::string& entry : more) {
    const auto there = find_key(env, key_of(entry));
    if (entry.find('=') == std::string::npos) {
      if (there != env.end()) env.erase(there);
    } else if (there != env.end()) {
      *there = entry;
    } else {
      env.push_back(entry);
    }
  }
}

}  // namespace engine
