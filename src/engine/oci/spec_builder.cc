#include "engine/oci/spec_builder.h"

#include "base/strings.h"

namespace engine::oci {
namespace {

base::Result<bool> truth(std::string_view option, std::string_view value) {
  if (value == "true" || value == "1" || value == "t" || value == "T" || value == "TRUE" || value == "True") return true;
  if (value == "false" || value == "0" || value == "f" || value == "F" || value == "FALSE" || value == "False") return false;
  return base::invalid("invalid --security-opt 2: " + base::quoted(option));
}

}  // namespace

base::Result<SecurityOptions> parse_security_options(const std::vector<std::string>& options) {
  SecurityOptions result;
  for (const std::string& option : options) {
    if (option == "no-new-privileges") {
      result.no_new_privileges = true;
      continue;
    }
    if (option == "disable") {
      result.labels.emplace_back("disable");
      continue;
    }
    // "=" is the present form, ":" that of docker before 1.11.
    auto parts = base::cut(option, "=");
    if (!parts) parts = base::cut(option, ":");
    if (!parts) return base::invalid("invalid --security-opt 1: " + base::quoted(option));
    const auto [key, value] = *parts;
    if (key == "label") {
      result.labels.emplace_back(value);
    } else if (key == "apparmor") {
      result.apparmor = value;
    } else if (key == "seccomp") {
      result.seccomp = value;
    } else if (key == "no-new-privileges") {
      result.no_new_privileges = TRY(truth(option, value));
    } else if (key == "writable-cgroups") {
      result.writable_cgroups = TRY(truth(option, value));
    } else if (key == "systempaths" && value == "unconfined") {
      result.unconfined_system_paths = true;
    } else {
      return base::invalid("invalid --security-opt 2: " + base::quoted(option));
    }
  }
  return result;
}

std::vector<std::string> default_masked_paths(const HostFacts& facts) {
  std::vector<std::string> paths = {
      "/proc/acpi",       "/proc/asound",      "/proc/interrupts",  "/proc/kcore",
      "/proc/keys",       "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
      "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"};
  paths.insert(paths.end(), facts.thermal_throttle_paths.begin(), facts.thermal_throttle_paths.end());
  return paths;
}

std::vector<std::string> default_readonly_paths() {
  return {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
}

base::Result<spec::oci::Spec> build_spec(const Input& input) {
  spec::oci::Spec spec;
  spec.oci_version = spec::oci::kRuntimeSpecVersion;
  spec.root = spec::oci::Root{.path = "rootfs", .readonly = input.host.readonly_rootfs};
  spec.linux_section.emplace();
  spec.linux_section->rootfs_propagation = "rprivate";
  if (input.host.annotations) spec.annotations = *input.host.annotations;

  TRY(add_process(input, spec));
  TRY(add_namespaces(input, spec));
  TRY(add_mounts(input, spec));
  TRY(add_resources(input, spec));
  TRY(add_devices(input, spec));
  TRY(add_seccomp(input, spec));

  auto& linux_section = *spec.linux_section;
  const auto security = TRY(parse_security_options(input.host.security_opt.value_or(spec::api::StringList{})));
  if (!input.host.privileged && !security.unconfined_system_paths) {
    linux_section.masked_paths = input.host.masked_paths.value_or(default_masked_paths(input.facts));
    linux_section.readonly_paths = input.host.readonly_paths.value_or(default_readonly_paths());
  }
  return spec;
}

}  // namespace engine::oci
