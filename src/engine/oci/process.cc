#include <algorithm>

#include "base/strings.h"
#include "engine/config_merge.h"
#include "engine/oci/capabilities.h"
#include "engine/oci/spec_builder.h"

namespace engine::oci {
namespace {

using spec::api::StringList;

constexpr std::string_view kDefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<std::string> environment(const spec::api::ContainerConfig& config, const std::string& hostname,
                                     const std::vector<std::string>& linked, bool tty) {
  std::vector<std::string> env{std::string{kDefaultPath}, "HOSTNAME=" + hostname};
  if (tty) env.emplace_back("TERM=xterm");
  env.insert(env.end(), linked.begin(), linked.end());
  apply_env(env, config.env.value_or(StringList{}));
  return env;
}

base::Result<spec::oci::Capabilities> capabilities(const spec::api::HostConfig& host, const HostFacts& facts,
                                                   bool privileged, const spec::oci::User& user) {
  const CapabilityRequest request{host.cap_add.value_or(StringList{}), host.cap_drop.value_or(StringList{}),
                                  privileged};
  const std::vector<std::string> names = TRY(choose_capabilities(request, facts.capabilities));
  spec::oci::Capabilities sets;
  sets.bounding = names;
  // A program that does not start as root has none but through a file's (execve(2)).
  if (user.uid == 0) {
    sets.permitted = names;
    sets.effective = names;
  }
  return sets;
}

std::string rlimit_type(std::string_view name) {
  std::string type = "RLIMIT_";
  for (const char c : name) type += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return type;
}

std::uint64_t rlimit_value(std::int64_t value) {
  return value < 0 ? UINT64_MAX : static_cast<std::uint64_t>(value);
}

/// The user's, and the daemon's for those that the user does not name. The daemon's are a wish:
/// without CAP_SYS_RESOURCE they go up to its own hard limits.
std::vector<spec::oci::Rlimit> rlimits(const spec::api::HostConfig& host, const HostFacts& facts,
                                       const Defaults& defaults) {
  std::vector<spec::oci::Rlimit> limits;
  const auto& asked = host.resources.ulimits;
  if (asked) {
    for (const spec::api::Ulimit& ulimit : *asked) {
      limits.push_back({rlimit_type(ulimit.name), rlimit_value(ulimit.hard), rlimit_value(ulimit.soft)});
    }
  }
  for (const auto& [name, ulimit] : defaults.ulimits) {
    spec::oci::Rlimit limit{rlimit_type(name), rlimit_value(ulimit.hard), rlimit_value(ulimit.soft)};
    if (std::ranges::find(limits, limit.type, &spec::oci::Rlimit::type) != limits.end()) continue;
    if (const auto own = facts.hard_limits.find(limit.type);
        own != facts.hard_limits.end() && !facts.can_raise_limits) {
      limit.hard = std::min(limit.hard, own->second);
      limit.soft = std::min(limit.soft, limit.hard);
    }
    limits.push_back(std::move(limit));
  }
  return limits;
}

/// Docker gives every container a score of its own, 0 by default, so that none inherits the daemon's
/// protection. Lowering needs CAP_SYS_RESOURCE: a default that can't be had is left out.
std::optional<std::int32_t> oom_score(const spec::api::HostConfig& host, const HostFacts& facts) {
  if (host.oom_score_adj == 0 && facts.oom_score_adj > 0 && !facts.can_raise_limits) return std::nullopt;
  return static_cast<std::int32_t>(host.oom_score_adj);
}

base::Result<> add_security(const spec::api::HostConfig& host, const HostFacts& facts,
                            const Defaults& defaults, bool privileged, spec::oci::Process& process) {
  const auto security = TRY(parse_security_options(host.security_opt.value_or(StringList{})));
  process.no_new_privileges = security.no_new_privileges.value_or(defaults.no_new_privileges);
  process.capabilities = TRY(capabilities(host, facts, privileged, process.user));
  if (facts.apparmor && !privileged && security.apparmor != "unconfined") {
    process.apparmor_profile = security.apparmor;
  }
  return {};
}

}  // namespace

base::Result<> add_process(const Input& input, spec::oci::Spec& spec) {
  spec::oci::Process process;
  process.terminal = input.config.tty;
  if (input.config.tty && input.host.console_size.size() == 2 && input.host.console_size[0] > 0) {
    process.console_size = spec::oci::ConsoleSize{static_cast<std::uint32_t>(input.host.console_size[0]),
                                                  static_cast<std::uint32_t>(input.host.console_size[1])};
  }
  process.user = input.user;
  process.args = command_line(input.config);
  if (input.host.init.value_or(false)) {
    if (input.defaults.init_path.empty()) {
      return base::not_implemented("--init: no init program is configured (set init-path in daemon.json)");
    }
    process.args.insert(process.args.begin(), {"/sbin/docker-init", "--"});
  }
  process.env = environment(input.config, input.hostname, input.linked_environment, input.config.tty);
  process.cwd = input.config.working_dir.empty() ? "/" : input.config.working_dir;
  process.rlimits = rlimits(input.host, input.facts, input.defaults);
  process.oom_score_adj = oom_score(input.host, input.facts);
  TRY(add_security(input.host, input.facts, input.defaults, input.host.privileged, process));
  spec.process = std::move(process);
  return {};
}

base::Result<spec::oci::Process> build_exec_process(const ExecInput& input) {
  spec::oci::Process process;
  process.terminal = input.exec.tty;
  if (input.exec.tty && input.exec.console_size && input.exec.console_size->size() == 2) {
    process.console_size = spec::oci::ConsoleSize{static_cast<std::uint32_t>((*input.exec.console_size)[0]),
                                                  static_cast<std::uint32_t>((*input.exec.console_size)[1])};
  }
  process.user = input.user;
  process.args = input.exec.cmd;
  process.env = environment(input.config, input.hostname, input.linked_environment, input.exec.tty);
  apply_env(process.env, input.exec.env.value_or(StringList{}));
  process.cwd = !input.exec.working_dir.empty()     ? input.exec.working_dir
                : !input.config.working_dir.empty() ? input.config.working_dir
                                                    : "/";
  process.rlimits = rlimits(input.host, input.facts, input.defaults);
  process.oom_score_adj = oom_score(input.host, input.facts);
  TRY(add_security(input.host, input.facts, input.defaults, input.exec.privileged || input.host.privileged,
                   process));
  return process;
}

}  // namespace engine::oci
