#include "runtime/features.h"

#include "codec/describe.h"
#include "runtime/detail/mount_options.h"
#include "runtime/detail/seccomp_compile.h"
#include "spec/runtime_config.h"
#include "sys/capability.h"
#include "sys/file.h"

namespace runtime {

using codec::Json;

namespace {

Json names(const std::vector<std::string>& list) { return codec::to_json(list); }

bool host_has(const char* path) {
  const auto found = sys::exists(sys::kCwd, path);
  return found && *found;
}

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
  section.set("apparmor", Json::object({{"enabled", host_has("/sys/kernel/security/apparmor")}}));
  section.set("selinux", Json::object({{"enabled", host_has("/sys/fs/selinux/enforce")}}));
  section.set("intelRdt", Json::object({{"enabled", false}}));
  section.set("mountExtensions", Json::object({{"idmap", Json::object({{"enabled", true}})}}));
  section.set("netDevices", Json::object({{"enabled", false}}));

  Json out = Json::object({{"ociVersionMin", "1.0.0"}, {"ociVersionMax", spec::oci::kRuntimeSpecVersion}});
  out.set("hooks", names({"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}));
  out.set("mountOptions", names(detail::known_mount_options()));
  out.set("linux", std::move(section));
  out.set("annotations", Json::object({{"io.caisson.runtime.version", CAISSON_VERSION}}));
  return out;
}

}  // namespace runtime
