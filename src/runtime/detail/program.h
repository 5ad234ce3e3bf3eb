#pragma once
/// Finding what the container runs, as the container's user sees it. In the container's root.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "spec/runtime_config.h"
#include "sys/capability.h"

namespace runtime::detail {

/// Acts as the container's user towards the file system until it goes: fsuid, fsgid, groups, and no
/// capability to pass over permissions that the process itself will not have.
class AsUser {
 public:
  static base::Result<AsUser> become(const spec::oci::User& user, sys::CapabilitySet effective);
  AsUser(AsUser&& other) noexcept;
  AsUser& operator=(AsUser&&) = delete;
  ~AsUser();

 private:
  AsUser() = default;
  bool active_ = false;
  sys::CapabilityState before_;
};

/// The path to execute. Errors: NotFound and PermissionDenied with runc's words, `exec: "foo":
/// executable file not found in $PATH`.
base::Result<std::string> find_program(const std::string& name, const std::vector<std::string>& env);

/// Enters `path`. Errors: InvalidArgument when it leads out of the root: CVE-2024-21626.
base::Result<> enter_directory(const std::string& path);

/// The value of a variable, or empty.
[[nodiscard]] std::string variable(const std::vector<std::string>& env, std::string_view name);
/// `env` with each variable once, and with HOME from the container's /etc/passwd if it has none, as runc does. The working directory must be the
/// container's root. `host_proc`: the host's /proc, to open by it what was looked at.
[[nodiscard]] std::vector<std::string> complete_environment(std::vector<std::string> env, std::uint32_t uid, int host_proc);

}  // namespace runtime::detail
