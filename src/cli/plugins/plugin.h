#pragma once
/// docker's client plugins: programs `docker-<name>` that add a command, as docker-compose does. Source: docker's
/// page "Docker CLI plugins"; the hooks and the socket of that interface are not used.
///
/// Looked for in cli-plugins of the configuration, in its `cliPluginsExtraDirs`, and in
/// {/usr/local,/usr}/{lib,libexec}/docker/cli-plugins; the first of a name counts.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/cli.h"

namespace cli {

struct Plugin {
  std::string name, path;
  std::string schema_version, vendor, version, short_description, url;
  std::string error;  ///< why it is not used; empty for one that is
};
void describe(auto& v, Plugin& p) {
  v.opt("SchemaVersion", p.schema_version);
  v.opt("Vendor", p.vendor);
  v.opt("Version", p.version);
  v.opt("ShortDescription", p.short_description);
  v.opt("URL", p.url);
  v("Name", p.name);
  v("Path", p.path);
  v.opt("Err", p.error);
}

/// The plugin of a name that may be anything. nullopt: there is none that works.
[[nodiscard]] std::optional<Plugin> find_plugin(Cli& cli, const std::string& name);
/// All, by name, with those that do not work. Runs each of them for its metadata.
[[nodiscard]] std::vector<Plugin> list_plugins(Cli& cli);
/// Runs it with the command line as the user wrote it, in the foreground. Its exit status.
/// Errors: it can't be started.
base::Result<int> run_plugin(Cli& cli, const Plugin& plugin, const std::vector<std::string>& arguments);

}  // namespace cli
