#pragma once
/// Docker's seccomp profile format, and what it comes to for one container.
///
/// A profile is the OCI document with conditions: each group of syscalls may name capabilities,
/// architectures and a lowest kernel that it applies to ("includes") or not ("excludes"), and
/// "archMap" says which further architectures go with the host's.
/// Source: docker's documentation of seccomp profiles. Pure.

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/runtime_config.h"

namespace engine::oci {

struct SeccompTarget {
  std::string architecture;  ///< uname's machine: "x86_64"
  unsigned kernel_major = 0, kernel_minor = 0;
  std::span<const std::string> capabilities;
};

class SeccompProfile {
 public:
  /// Errors: InvalidArgument "Decoding seccomp profile failed: …".
  static base::Result<SeccompProfile> parse(std::string_view text);
  /// Docker's default, compiled in.
  static const SeccompProfile& builtin();

  [[nodiscard]] spec::oci::Seccomp resolve(const SeccompTarget& target) const;

 private:
  struct Condition {
    std::vector<std::string> architectures, capabilities;
    std::optional<std::pair<unsigned, unsigned>> min_kernel;
  };
  struct Group {
    spec::oci::SeccompSyscalls calls;
    Condition includes, excludes;
  };
  struct Document;
  [[nodiscard]] static bool applies(const Group& group, const SeccompTarget& target);

  spec::oci::Seccomp head_;  ///< all but syscalls
  std::map<std::string, std::vector<std::string>> sub_architectures_;
  std::vector<Group> groups_;
};

}  // namespace engine::oci
