#include "cli/plugins/plugin.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>

#include <dirent.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/command.h"
#include "codec/describe.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/pty.h"
#include "sys/signals.h"
#include "sys/stream_socket.h"

namespace cli {

using base::Result;

namespace {

constexpr std::string_view kPrefix = "docker-";
constexpr std::string_view kSchema = "0.1.0";
constexpr std::size_t kMaxMetadata = std::size_t{1} << 20U;

std::vector<std::string> directories(Cli& cli) {
  std::vector<std::string> out{cli.options().config + "/cli-plugins"};
  for (const auto& extra : cli.config().json()["cliPluginsExtraDirs"].as_array()) out.push_back(extra.as_string());
  for (const char* system : {"/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"}) {
    out.push_back(fmt::format("{}/docker/cli-plugins", system));
  }
  return out;
}

bool is_plugin_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::vector<std::string> own_environment() {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
  return out;
}

/// What the plugin says of itself.
Result<std::string> ask(const std::string& path) {
  sys::Pipe output = TRY(sys::make_pipe());
  const auto nothing = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDWR));
  const sys::SpawnOptions options{.path = path,
                                  .argv = {path, "docker-cli-plugin-metadata"},
                                  .env = own_environment(),
                                  .fds = {{nothing.get(), 0}, {output.write.get(), 1}, {nothing.get(), 2}}};
  const auto process = sys::spawn(options);
  if (!process) {
    std::string reason = base::errno_text(process.error().errno_value());
    if (!reason.empty()) reason[0] = base::to_lower(reason.substr(0, 1))[0];
    return base::internal(fmt::format("failed to fetch metadata: fork/exec {}: {}", path, reason));
  }
  output.write.reset();
  const auto text = sys::read_to_end(output.read.get(), kMaxMetadata);
  // One that says more than fits must not wait for its reader.
  output.read.reset();
  const auto status = TRY(process->wait());
  if (status.shell_code() != 0) {
    return base::internal(fmt::format("failed to fetch metadata: exit status {}", status.shell_code()));
  }
  return text;
}

void read_metadata(Plugin& plugin) {
  const auto text = ask(plugin.path);
  if (!text) {
    plugin.error = text.error().message();
    return;
  }
  const auto json = codec::Json::parse(*text);
  if (!json) {
    plugin.error = "invalid metadata: " + json.error().message();
    return;
  }
  plugin.schema_version = (*json)["SchemaVersion"].as_string();
  plugin.vendor = (*json)["Vendor"].as_string();
  plugin.version = (*json)["Version"].as_string();
  plugin.short_description = (*json)["ShortDescription"].as_string();
  plugin.url = (*json)["URL"].as_string();
  if (plugin.schema_version != kSchema) {
    plugin.error = fmt::format("plugin SchemaVersion {} is not valid, must be {}",
                               base::quoted(plugin.schema_version), kSchema);
  } else if (plugin.vendor.empty()) {
    plugin.error = "plugin metadata does not define a vendor";
  }
}

bool is_builtin(const std::string& name) {
  return std::ranges::any_of(commands(), [&](const CommandEntry& entry) {
    const std::string_view path = entry.path;
    if (path == name || path.starts_with(name + " ")) return true;
    const auto aliases = base::split_words(find_row(path)->aliases, ',');
    return std::ranges::find(aliases, name) != aliases.end();
  });
}

/// Signals that end this program are the plugin's affair; those of a terminal reach it without help.
Result<sys::ExitStatus> wait_for(const sys::Process& process, const sys::SignalBlock& block) {
  const auto signals = TRY(sys::make_signal_fd(block.blocked(), O_NONBLOCK));
  const bool terminal = sys::is_terminal(0);
  while (true) {
    std::array<sys::PollItem, 2> items{{{process.pidfd(), POLLIN}, {signals.get(), POLLIN}}};
    TRY(sys::wait_any(items, sys::kNoDeadline));
    if (items[0].ready != 0) return process.wait();
    const auto signal = TRY(sys::read_signal(signals.get()));
    if (!signal || (terminal && (*signal == SIGINT || *signal == SIGQUIT))) continue;
    base::ignore(process.signal(*signal), "it may have ended meanwhile");
  }
}

}  // namespace

std::optional<Plugin> find_plugin(Cli& cli, const std::string& name) {
  if (!is_plugin_name(name)) return std::nullopt;
  for (const auto& directory : directories(cli)) {
    Plugin plugin{.name = name, .path = fmt::format("{}/{}{}", directory, kPrefix, name)};
    if (!sys::open_at(sys::kCwd, plugin.path, O_PATH)) continue;
    read_metadata(plugin);
    if (!plugin.error.empty()) return std::nullopt;
    return plugin;
  }
  return std::nullopt;
}

std::vector<Plugin> list_plugins(Cli& cli) {
  std::map<std::string, Plugin> found;
  for (const auto& directory : directories(cli)) {
    const auto entries = sys::list_dir(sys::kCwd, directory);
    if (!entries) continue;
    for (const auto& entry : *entries) {
      if (!entry.name.starts_with(kPrefix) || entry.type == DT_DIR) continue;
      std::string name = entry.name.substr(kPrefix.size());
      found.try_emplace(name, Plugin{.name = name, .path = directory + "/" + entry.name});
    }
  }
  std::vector<Plugin> out;
  for (auto& [name, plugin] : found) {
    if (!is_plugin_name(name)) {
      plugin.error =
          fmt::format("plugin candidate {} did not match \"^[a-z][a-z0-9]*$\"", base::quoted(name));
    } else if (is_builtin(name)) {
      plugin.error = fmt::format("plugin {} duplicates builtin command", base::quoted(name));
    } else {
      read_metadata(plugin);
    }
    out.push_back(std::move(plugin));
  }
  return out;
}

Result<int> run_plugin(Cli& cli, const Plugin& plugin, const std::vector<std::string>& arguments) {
  sys::SpawnOptions options{.path = plugin.path, .argv = {plugin.path}, .env = own_environment()};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.env.push_back("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND=" + cli.program());
  // A plugin has docker's idea of where the daemon is by default.
  const char* host = std::getenv("DOCKER_HOST");
  const bool has_host = (host != nullptr && *host != '\0') || !cli.options().hosts.empty();
  if (!has_host && cli.context_name() == kDefaultContext) {
    if (const auto target = cli.target_of(std::string{kDefaultContext})) {
      options.env.push_back("DOCKER_HOST=" + target->host);
    }
  }
  options.fds = {{0, 0}, {1, 1}, {2, 2}};
  const sys::SignalBlock block{{SIGINT, SIGQUIT, SIGTERM, SIGHUP}};
  const auto process = TRY(sys::spawn(options).context("start the plugin " + plugin.name));
  return TRY(wait_for(process, block)).shell_code();
}

}  // namespace cli
