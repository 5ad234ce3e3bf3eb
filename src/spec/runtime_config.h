#pragma once
/// The OCI runtime configuration, config.json, as structs: the Linux side of version 1.3 of the
/// specification. Sections of other platforms are ignored.
/// Source: OCI runtime-spec, config.md, config-linux.md and their JSON schemas.
///
/// An optional stands where the specification tells "absent" from a value. Values are as in the
/// document; what they mean is checked by who acts on them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/runtime_linux.h"

namespace spec::oci {

/// What this program writes as `ociVersion`.
inline constexpr std::string_view kRuntimeSpecVersion = "1.3.0";

struct ConsoleSize {
  std::uint32_t height = 0;  ///< rows
  std::uint32_t width = 0;   ///< columns
};
void describe(auto& v, ConsoleSize& x) {
  v("height", x.height);
  v("width", x.width);
}

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
  std::string username;  ///< Windows only; kept so that it survives a round trip
};
void describe(auto& v, User& x) {
  v("uid", x.uid);
  v("gid", x.gid);
  v.opt("umask", x.umask);
  v.opt("additionalGids", x.additional_gids);
  v.opt("username", x.username);
}

/// Five sets of names such as "CAP_CHOWN"; capabilities(7).
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
};
void describe(auto& v, Capabilities& x) {
  v.opt("bounding", x.bounding);
  v.opt("effective", x.effective);
  v.opt("inheritable", x.inheritable);
  v.opt("permitted", x.permitted);
  v.opt("ambient", x.ambient);
}

struct Rlimit {
  std::string type;  ///< "RLIMIT_NOFILE", …
  std::uint64_t hard = 0;
  std::uint64_t soft = 0;
};
void describe(auto& v, Rlimit& x) {
  v("type", x.type);
  v("hard", x.hard);
  v("soft", x.soft);
}

/// sched_setattr(2).
struct Scheduler {
  std::string policy;  ///< "SCHED_OTHER", …
  std::int32_t nice = 0;
  std::int32_t priority = 0;
  std::vector<std::string> flags;
  std::uint64_t runtime = 0;   ///< ns, SCHED_DEADLINE
  std::uint64_t deadline = 0;  ///< ns
  std::uint64_t period = 0;    ///< ns
};
void describe(auto& v, Scheduler& x) {
  v("policy", x.policy);
  v.opt("nice", x.nice);
  v.opt("priority", x.priority);
  v.opt("flags", x.flags);
  v.opt("runtime", x.runtime);
  v.opt("deadline", x.deadline);
  v.opt("period", x.period);
}

struct IoPriority {
  std::string io_class;  ///< "IOPRIO_CLASS_RT", "…_BE", "…_IDLE"
  std::int32_t priority = 0;
};
void describe(auto& v, IoPriority& x) {
  v("class", x.io_class);
  v("priority", x.priority);
}

/// CPU lists such as "0-3,7".
struct CpuAffinity {
  std::string initial;
  std::string final_list;
};
void describe(auto& v, CpuAffinity& x) {
  v.opt("initial", x.initial);
  v.opt("final", x.final_list);
}

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;  ///< "NAME=value"
  std::string cwd = "/";
  std::optional<Capabilities> capabilities;  ///< absent: none at all
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::optional<std::int32_t> oom_score_adj;
  std::optional<Scheduler> scheduler;
  std::string selinux_label;
  std::optional<IoPriority> io_priority;
  std::optional<CpuAffinity> exec_cpu_affinity;
};
void describe(auto& v, Process& x) {
  v.opt("terminal", x.terminal);
  v.opt("consoleSize", x.console_size);
  v("user", x.user);
  v.opt("args", x.args);
  v.opt("env", x.env);
  v("cwd", x.cwd);
  v.opt("capabilities", x.capabilities);
  v.opt("rlimits", x.rlimits);
  v.opt("noNewPrivileges", x.no_new_privileges);
  v.opt("apparmorProfile", x.apparmor_profile);
  v.opt("oomScoreAdj", x.oom_score_adj);
  v.opt("scheduler", x.scheduler);
  v.opt("selinuxLabel", x.selinux_label);
  v.opt("ioPriority", x.io_priority);
  v.opt("execCPUAffinity", x.exec_cpu_affinity);
}

struct Root {
  std::string path;  ///< absolute, or relative to the bundle
  bool readonly = false;
};
void describe(auto& v, Root& x) {
  v("path", x.path);
  v.opt("readonly", x.readonly);
}

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings;  ///< an id-mapped mount
  std::vector<IdMapping> gid_mappings;
};
void describe(auto& v, Mount& x) {
  v("destination", x.destination);
  v.opt("type", x.type);
  v.opt("source", x.source);
  v.opt("options", x.options);
  v.opt("uidMappings", x.uid_mappings);
  v.opt("gidMappings", x.gid_mappings);
}

struct Hook {
  std::string path;  ///< absolute
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<std::int32_t> timeout;  ///< seconds
};
void describe(auto& v, Hook& x) {
  v("path", x.path);
  v.opt("args", x.args);
  v.opt("env", x.env);
  v.opt("timeout", x.timeout);
}

struct Hooks {
  std::vector<Hook> prestart;
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
};
void describe(auto& v, Hooks& x) {
  v.opt("prestart", x.prestart);
  v.opt("createRuntime", x.create_runtime);
  v.opt("createContainer", x.create_container);
  v.opt("startContainer", x.start_container);
  v.opt("poststart", x.poststart);
  v.opt("poststop", x.poststop);
}

struct Spec {
  std::string oci_version;
  std::optional<Process> process;
  std::optional<Root> root;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  std::optional<Hooks> hooks;
  std::map<std::string, std::string> annotations;
  std::optional<Linux> linux_section;
};
void describe(auto& v, Spec& x) {
  v("ociVersion", x.oci_version);
  v.opt("process", x.process);
  v.opt("root", x.root);
  v.opt("hostname", x.hostname);
  v.opt("domainname", x.domainname);
  v.opt("mounts", x.mounts);
  v.opt("hooks", x.hooks);
  v.opt("annotations", x.annotations);
  v.opt("linux", x.linux_section);
}

/// config.json's text. Errors: InvalidArgument, naming the field.
base::Result<Spec> parse_spec(std::string_view text);
/// Compact.
std::string to_text(const Spec& spec);
/// A process document, as `exec --process` takes it.
base::Result<Process> parse_process(std::string_view text);
/// A resources document, as `update --resources` takes it.
base::Result<Resources> parse_resources(std::string_view text);

}  // namespace spec::oci
