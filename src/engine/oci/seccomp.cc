#include "engine/oci/seccomp.h"

#include <algorithm>

#include "base/strings.h"
#include "engine/oci/spec_builder.h"
#include "engine/seccomp_default.h"

namespace engine::oci {
namespace {

struct ConditionJson {
  std::vector<std::string> arches, caps;
  std::string min_kernel;
};
void describe(auto& v, ConditionJson& c) {
  v("arches", c.arches);
  v("caps", c.caps);
  v("minKernel", c.min_kernel);
}
struct GroupJson {
  spec::oci::SeccompSyscalls calls;
  std::string name;  // the format of old profiles: one name per group
  ConditionJson includes, excludes;
};
void describe(auto& v, GroupJson& g) {
  v.embed(g.calls);
  v("name", g.name);
  v("includes", g.includes);
  v("excludes", g.excludes);
}
struct ArchJson {
  std::string architecture;
  std::vector<std::string> sub_architectures;
};
void describe(auto& v, ArchJson& a) {
  v("architecture", a.architecture);
  v("subArchitectures", a.sub_architectures);
}
struct ProfileJson {
  std::string default_action;
  std::optional<std::uint32_t> default_errno_ret;
  std::vector<std::string> architectures, flags;
  std::string listener_path, listener_metadata;
  std::vector<ArchJson> arch_map;
  std::vector<GroupJson> syscalls;
};
void describe(auto& v, ProfileJson& p) {
  v("defaultAction", p.default_action);
  v("defaultErrnoRet", p.default_errno_ret);
  v("architectures", p.architectures);
  v("flags", p.flags);
  v("listenerPath", p.listener_path);
  v("listenerMetadata", p.listener_metadata);
  v("archMap", p.arch_map);
  v("syscalls", p.syscalls);
}

struct Architecture {
  std::string_view machine;   // uname(2)
  std::string_view go;        // in "arches"
  std::string_view seccomp;   // in "archMap"
};
constexpr Architecture kArchitectures[] = {
    {"x86_64", "amd64", "SCMP_ARCH_X86_64"},    {"aarch64", "arm64", "SCMP_ARCH_AARCH64"},
    {"i686", "x86", "SCMP_ARCH_X86"},           {"armv7l", "arm", "SCMP_ARCH_ARM"},
    {"ppc64le", "ppc64le", "SCMP_ARCH_PPC64LE"}, {"riscv64", "riscv64", "SCMP_ARCH_RISCV64"},
    {"s390x", "s390x", "SCMP_ARCH_S390X"},      {"loongarch64", "loong64", "SCMP_ARCH_LOONGARCH64"},
};
const Architecture* find_architecture(std::string_view machine) {
  const auto* found = std::ranges::find(kArchitectures, machine, &Architecture::machine);
  return found == std::end(kArchitectures) ? nullptr : found;
}

bool contains(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

base::Result<std::optional<std::pair<unsigned, unsigned>>> parse_kernel(const std::string& text) {
  if (text.empty()) return std::optional<std::pair<unsigned, unsigned>>{};
  const auto parts = base::split(text, '.');
  const auto major = base::parse_uint(parts[0]);
  const auto minor = parts.size() == 2 ? base::parse_uint(parts[1]) : std::nullopt;
  if (!major || !minor) return base::invalid("invalid kernel version: " + text);
  return std::optional{std::pair{static_cast<unsigned>(*major), static_cast<unsigned>(*minor)}};
}

base::Result<ProfileJson> decode(std::string_view text) {
  return codec::from_json_text<ProfileJson>(text).context("Decoding seccomp profile failed");
}

}  // namespace

base::Result<SeccompProfile> SeccompProfile::parse(std::string_view text) {
  ProfileJson json = TRY(decode(text));
  if (!json.architectures.empty() && !json.arch_map.empty()) {
    return base::invalid("both 'architectures' and 'archMap' are specified in the seccomp profile, use either");
  }
  SeccompProfile profile;
  profile.head_.default_action = json.default_action;
  profile.head_.default_errno_ret = json.default_errno_ret;
  profile.head_.architectures = json.architectures;
  profile.head_.flags = json.flags;
  profile.head_.listener_path = json.listener_path;
  profile.head_.listener_metadata = json.listener_metadata;
  for (ArchJson& map : json.arch_map) {
    profile.sub_architectures_[map.architecture] = std::move(map.sub_architectures);
  }
  for (GroupJson& from : json.syscalls) {
    if (!from.name.empty() && !from.calls.names.empty()) {
      return base::invalid("both 'name' and 'names' are specified in the seccomp profile, use either");
    }
    if (!from.name.empty()) from.calls.names = {from.name};
    Group group;
    group.calls = std::move(from.calls);
    group.includes = {std::move(from.includes.arches), std::move(from.includes.caps), {}};
    group.includes.min_kernel = TRY(parse_kernel(from.includes.min_kernel));
    group.excludes = {std::move(from.excludes.arches), std::move(from.excludes.caps), {}};
    group.excludes.min_kernel = TRY(parse_kernel(from.excludes.min_kernel));
    profile.groups_.push_back(std::move(group));
  }
  return profile;
}

const SeccompProfile& SeccompProfile::builtin() {
  static const SeccompProfile profile = [] {
    auto parsed = parse(kSeccompDefault);
    CAISSON_INVARIANT(parsed.has_value());
    return *std::move(parsed);
  }();
  return profile;
}

bool SeccompProfile::applies(const Group& group, const SeccompTarget& target) {
  const Architecture* own = find_architecture(target.architecture);
  const std::string_view arch = own != nullptr ? own->go : std::string_view{target.architecture};
  const auto at_least = [&](const std::pair<unsigned, unsigned>& kernel) {
    return std::pair{target.kernel_major, target.kernel_minor} >= kernel;
  };
  const auto has = [&](const std::string& capability) { return contains(target.capabilities, capability); };
  const auto& in = group.includes;
  const auto& out = group.excludes;
  if (contains(out.architectures, arch)) return false;
  if (std::ranges::any_of(out.capabilities, has)) return false;
  if (out.min_kernel && at_least(*out.min_kernel)) return false;
  if (!in.architectures.empty() && !contains(in.architectures, arch)) return false;
  if (!std::ranges::all_of(in.capabilities, has)) return false;
  return !in.min_kernel || at_least(*in.min_kernel);
}

spec::oci::Seccomp SeccompProfile::resolve(const SeccompTarget& target) const {
  spec::oci::Seccomp result = head_;
  if (const Architecture* own = find_architecture(target.architecture); own != nullptr) {
    if (const auto subs = sub_architectures_.find(std::string{own->seccomp}); subs != sub_architectures_.end()) {
      result.architectures.push_back(subs->first);
      result.architectures.insert(result.architectures.end(), subs->second.begin(), subs->second.end());
    }
  }
  for (const Group& group : groups_) {
    if (applies(group, target)) result.syscalls.push_back(group.calls);
  }
  return result;
}

base::Result<> add_seccomp(const Input& input, spec::oci::Spec& spec) {
  const auto security = TRY(parse_security_options(input.host.security_opt.value_or(spec::api::StringList{})));
  const std::string& chosen = security.seccomp.empty() ? input.defaults.seccomp_profile : security.seccomp;
  if (input.host.privileged && security.seccomp.empty()) return {};
  if (chosen == "unconfined" || !input.facts.seccomp) return {};
  const SeccompTarget target{input.facts.machine, input.facts.kernel_major, input.facts.kernel_minor,
                             spec.process->capabilities->bounding};
  if (chosen.empty() || chosen == "builtin") {
    spec.linux_section->seccomp = SeccompProfile::builtin().resolve(target);
  } else {
    const SeccompProfile profile = TRY(SeccompProfile::parse(chosen));
    spec.linux_section->seccomp = profile.resolve(target);
  }
  return {};
}

}  // namespace engine::oci
