/// config.json from its bytes to what is compiled from it: the parser, the written form, and every part
/// that is judged before a process exists. Nothing here opens a file or makes a process.

#include <cstdlib>
#include <string_view>

#include "runtime/detail/check_config.h"
#include "runtime/detail/intel_rdt.h"
#include "runtime/detail/mount_options.h"
#include "runtime/detail/net_devices.h"
#include "runtime/detail/resources.h"
#include "runtime/detail/seccomp_compile.h"
#include "spec/runtime_config.h"
#include "sys/limits.h"

namespace {

void judge(const spec::oci::Spec& spec) {
  for (const auto& mount : spec.mounts) static_cast<void>(runtime::detail::parse_mount_options(mount));
  if (spec.process && spec.process->exec_cpu_affinity) {
    static_cast<void>(sys::parse_number_list(spec.process->exec_cpu_affinity->initial).has_value());
  }
  if (!spec.linux_section) return;
  const auto& section = *spec.linux_section;
  if (section.seccomp) static_cast<void>(runtime::detail::compile_seccomp(*section.seccomp).has_value());
  if (section.resources) {
    static_cast<void>(runtime::detail::resources_for_create(*section.resources).has_value());
    static_cast<void>(runtime::detail::resources_for_update(*section.resources).has_value());
  }
  if (section.memory_policy) static_cast<void>(runtime::detail::memory_policy_of(*section.memory_policy).has_value());
  if (section.intel_rdt) static_cast<void>(runtime::detail::check_intel_rdt(*section.intel_rdt).has_value());
  static_cast<void>(runtime::detail::check_net_devices(section.net_devices).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto parsed = spec::oci::parse_spec(text);
  if (!parsed) return 0;
  // What was understood must survive being written: state.json and exec depend on it.
  const std::string written = spec::oci::to_text(*parsed);
  const auto again = spec::oci::parse_spec(written);
  if (!again || spec::oci::to_text(*again) != written) std::abort();
  judge(*parsed);
  return 0;
}
