#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/version.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/plugins/plugin.h"
#include "cli/template/template.h"
#include "flags/units.h"

namespace cli {

using base::Result;

namespace {

struct ClientInfo {
  bool debug = false;
  std::string version, git_commit, go_version, os, arch, context;
  std::vector<Plugin> plugins;
  std::optional<spec::api::StringList> warnings;
};
void describe(auto& v, ClientInfo& c) {
  v("Debug", c.debug);
  v("Version", c.version);
  v("GitCommit", c.git_commit);
  v("GoVersion", c.go_version);
  v("Os", c.os);
  v("Arch", c.arch);
  v("Context", c.context);
  v("Plugins", c.plugins);
  v("Warnings", c.warnings);
}
struct BothInfos {
  spec::api::SystemInfo server;
  ClientInfo client_info;
};
void describe(auto& v, BothInfos& b) {
  v.embed(b.server);
  v("ClientInfo", b.client_info);
}

class Page {
 public:
  template <class T>
  void line(std::string_view name, const T& value) {
    text_ += fmt::format(" {}: {}\n", name, value);
  }
  void heading(std::string_view name) { text_ += fmt::format(" {}:\n", name); }
  template <class T>
  void inner(std::string_view name, const T& value) {
    text_ += fmt::format("  {}: {}\n", name, value);
  }
  void item(std::string_view value) { text_ += fmt::format("  {}\n", value); }
  void optional(std::string_view name, const std::string& value) {
    if (!value.empty()) line(name, value);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void add_plugins(Page& page, const spec::api::PluginsInfo& plugins) {
  page.heading("Plugins");
  page.inner("Volume", base::join(plugins.volume, " "));
  page.inner("Network", base::join(plugins.network, " "));
  if (plugins.authorization && !plugins.authorization->empty()) {
    page.inner("Authorization", base::join(*plugins.authorization, " "));
  }
  page.inner("Log", base::join(plugins.log, " "));
}

/// "name=seccomp,profile=builtin" → "seccomp" and below it "Profile: builtin".
void add_security(Page& page, const spec::api::StringList& options) {
  if (options.empty()) return;
  page.heading("Security Options");
  for (const auto& option : options) {
    for (const auto part : base::split(option, ',')) {
      const auto pair = base::cut(part, "=");
      if (!pair) {
        page.item(part);
      } else if (pair->first == "name") {
        page.item(pair->second);
      } else {
        page.item(fmt::format(" {}: {}", pair->first == "profile" ? "Profile" : std::string{pair->first},
                              pair->second));
      }
    }
  }
}

void add_registries(Page& page, const spec::api::RegistryConfig& registries) {
  std::vector<std::string> insecure;
  for (const auto& [name, index] : registries.index_configs) {
    if (!index.secure) insecure.push_back(name);
  }
  insecure.insert(insecure.end(), registries.insecure_registry_cidrs.begin(),
                  registries.insecure_registry_cidrs.end());
  if (!insecure.empty()) {
    page.heading("Insecure Registries");
    for (const auto& name : insecure) page.item(name);
  }
  if (!registries.mirrors.empty()) {
    page.heading("Registry Mirrors");
    for (const auto& mirror : registries.mirrors) page.item(mirror);
  }
}

std::string server_page(const spec::api::SystemInfo& s) {
  Page page;
  page.line("Containers", s.containers);
  page.inner("Running", s.containers_running);
  page.inner("Paused", s.containers_paused);
  page.inner("Stopped", s.containers_stopped);
  page.line("Images", s.images);
  page.optional("Server Version", s.server_version);
  page.line("Storage Driver", s.driver);
  for (const auto& pair : s.driver_status) {
    if (pair.size() == 2) page.inner(pair[0], pair[1]);
  }
  page.optional("Logging Driver", s.logging_driver);
  page.optional("Cgroup Driver", s.cgroup_driver);
  page.optional("Cgroup Version", s.cgroup_version);
  add_plugins(page, s.plugins);
  page.line("Swarm", s.swarm.local_node_state);
  if (!s.runtimes.empty()) {
    std::string names;
    for (const auto& [name, runtime] : s.runtimes) names += (names.empty() ? "" : " ") + name;
    page.line("Runtimes", names);
    page.line("Default Runtime", s.default_runtime);
  }
  page.line("Init Binary", s.init_binary);
  page.line("containerd version", s.containerd_commit.id);
  page.line("runc version", s.runc_commit.id);
  page.line("init version", s.init_commit.id);
  add_security(page, s.security_options);
  page.optional("Kernel Version", s.kernel_version);
  page.optional("Operating System", s.operating_system);
  page.optional("OSType", s.os_type);
  page.optional("Architecture", s.architecture);
  page.line("CPUs", s.n_cpu);
  page.line("Total Memory", flags::binary_size(static_cast<double>(s.mem_total)));
  page.optional("Name", s.name);
  page.optional("ID", s.id);
  page.line("Docker Root Dir", s.docker_root_dir);
  page.line("Debug Mode", s.debug);
  if (s.debug) {
    page.inner("File Descriptors", s.n_fd);
    page.inner("Goroutines", s.n_threads);
    page.inner("System Time", s.system_time);
    page.inner("EventsListeners", s.n_events_listener);
  }
  page.optional("HTTP Proxy", s.http_proxy);
  page.optional("HTTPS Proxy", s.https_proxy);
  page.optional("No Proxy", s.no_proxy);
  if (!s.labels.empty()) {
    page.heading("Labels");
    for (const auto& label : s.labels) page.item(label);
  }
  page.line("Experimental", s.experimental_build);
  add_registries(page, s.registry_config);
  page.line("Live Restore Enabled", s.live_restore_enabled);
  page.optional("Product License", s.product_license);
  return page.text() + "\n";
}

/// The section of the plugins; those that do not work are warned of.
std::string client_plugins(Cli& cli, const std::vector<Plugin>& plugins) {
  std::string out;
  for (const auto& plugin : plugins) {
    if (!plugin.error.empty()) {
      cli.err().line("WARNING: Plugin {} is not valid: {}", base::quoted(plugin.path), plugin.error);
      continue;
    }
    out += fmt::format("  {}: {} ({})\n", plugin.name, plugin.short_description, plugin.vendor);
    if (!plugin.version.empty()) out += fmt::format("    Version:  {}\n", plugin.version);
    out += fmt::format("    Path:     {}\n", plugin.path);
  }
  return out.empty() ? out : " Plugins:\n" + out;
}

class Info final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("format", format_); }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    client::Client& client = *TRY(cli.client());
    const auto server = client.info();
    BothInfos both;
    both.client_info.version = base::kVersion;
    both.client_info.debug = cli.options().debug;
    both.client_info.os = "linux";
    both.client_info.context = cli.context_name();
    both.client_info.plugins = list_plugins(cli);
    if (!format_.empty()) {
      if (!server) return server.error();
      both.server = *server;
      return formatted(cli, both);
    }
    cli.out().print("Client: Caisson\n Version:    {}\n Context:    {}\n Debug Mode: {}\n{}\nServer:\n",
                    both.client_info.version, both.client_info.context, both.client_info.debug,
                    client_plugins(cli, both.client_info.plugins));
    if (!server) {
      if (client::is_connection_failure(server.error())) return server.error();
      cli.err().line("ERROR: {}", server.error().message());
      return base::internal("errors pretty printing info");
    }
    cli.out().write(server_page(*server));
    for (const auto& warning : server->warnings.value_or(spec::api::StringList{}))
      cli.err().line("{}", warning);
    return 0;
  }

 private:
  Result<int> formatted(Cli& cli, const BothInfos& both) const {
    constexpr int kBadTemplate = 64;
    const auto parsed = tmpl::Template::parse("", format_ == "json" ? "{{json .}}" : format_);
    if (!parsed) {
      cli.err().line("template parsing error: {}", parsed.error().message());
      return kBadTemplate;
    }
    std::string out;
    const auto done = parsed->execute(out, tmpl::value_of(both));
    cli.out().write(out + "\n");
    if (!done) return done.error();
    return 0;
  }

  std::string format_;
};

}  // namespace

std::unique_ptr<Command> make_info() { return std::make_unique<Info>(); }

}  // namespace cli
