#include "runtime/features.h"

#include "codec/describe.h"
#include "runtime/detail/check_config.h"
#include "runtime/detail/criu_session.h"
#include "runtime/detail/mount_options.h"
#include "runtime/detail/seccomp_compile.h"
#include "spec/runtime_config.h"
#include "sys/capability.h"

namespace runtime {

using codec::Json;

namespace {

Json names(const std::vector<std::string>& list) { return codec::to_json(list); }

}  // namespace

Json features() {
  const Json cgroup = Json::object({{"v1", true}, {"v2", true}, {"systemd", true}, {"systemdUser", true}, {"rdma", true}});
  Json seccomp = Json::object({{"enabled", true}});
  seccomp.set("actions", names(detail::known_seccomp_actions()));
  seccomp.set("operators", names(detail::known_seccomp_operators()));
  seccomp.set("archs", names(detail::known_seccomp_architectures()));
  seccomp.set("knownFlags", names(detail::known_seccomp_flags()));
  seccomp.set("supportedFlags", names(detail::known_seccomp_flags()));
  Json section = Json::object({});
  section.set("namespaces", names({"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}));
  section.set("capabilities", names(sys::known_capabilities()));
  section.set("cgroup", cgroup);
  section.set("seccomp", std::move(seccomp));
  section.set("apparmor", Json::object({{"enabled", true}}));
  section.set("selinux", Json::object({{"enabled", true}}));
  section.set("intelRdt", Json::object({{"enabled", true}, {"schemata", true}, {"monitoring", true}}));
  Json policy = Json::object({});
  policy.set("modes", names(detail::known_memory_policies()));
  policy.set("flags", names(detail::known_memory_policy_flags()));
  section.set("memoryPolicy", std::move(policy));
  section.set("mountExtensions", Json::object({{"idmap", Json::object({{"enabled", true}})}}));
  section.set("netDevices", Json::object({{"enabled", true}}));

  Json out = Json::object({{"ociVersionMin", "1.0.0"}, {"ociVersionMax", spec::oci::kRuntimeSpecVersion}});
  out.set("hooks", names({"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}));
  out.set("mountOptions", names(detail::known_mount_options()));
  out.set("linux", std::move(section));
  // The specification has no field for it; this is the name that engines look for.
  const bool criu = detail::criu::find_criu("criu").has_value();
  out.set("annotations", Json::object({{"io.caisson.runtime.version", CAISSON_VERSION},
                                       {"org.opencontainers.runc.checkpoint.enabled", criu ? "true" : "false"}}));
  return out;
}

}  // namespace runtime
