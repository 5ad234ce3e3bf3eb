#include "cmd/caisson-runtime/rootless.h"

#include <cstdlib>
#include <string>

#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/node.h"

namespace caisson_runtime {

using base::Result;

namespace {

constexpr std::string_view kDefaultStateRoot = "/run/caisson/runtime";

/// The initial namespace maps everybody to himself.
Result<bool> in_user_namespace() {
  const auto text = sys::read_file(sys::kCwd, "/proc/self/uid_map");
  if (text.failed_as(base::ErrorKind::NotFound)) return false;
  const std::string map = TRY(std::move(text));
  const auto fields = base::split_words(base::trim(map));
  return !(fields.size() == 3 && fields[0] == "0" && fields[1] == "0" && fields[2] == "4294967295");
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): single-threaded
  return value == nullptr ? "" : value;
}

/// pam_systemd(8) names the directory by the user: in a namespace of user 1000, root has /run/user/1000.
bool has_a_users_manager() {
  const std::string_view path = variable("XDG_RUNTIME_DIR");
  return !path.empty() && !path.ends_with("/0");
}

}  // namespace

Result<bool> rootless_of(std::string_view flag, cgroup::Driver driver) {
  if (flag == "true") return true;
  if (flag == "false") return false;
  if (flag != "auto" && !flag.empty()) {
    return base::invalid("invalid value " + base::quoted(flag) + " for flag -rootless");
  }
  if (::geteuid() != 0) return true;
  if (!TRY(in_user_namespace())) return false;
  return driver == cgroup::Driver::Cgroupfs || has_a_users_manager();
}

Result<std::string> default_state_root() {
  const std::string_view directory = variable("XDG_RUNTIME_DIR");
  const bool root = ::geteuid() == 0 && (!TRY(in_user_namespace()) || variable("USER") == "root");
  if (root || !directory.starts_with('/')) return std::string{kDefaultStateRoot};
  const std::string path = std::string{directory} + "/caisson/runtime";
  TRY(sys::make_dirs(sys::kCwd, path, 0700));
  // By the XDG base directory specification sticky things there are not tidied away.
  TRY(sys::set_mode_at(sys::kCwd, path, 01700));
  return path;
}

}  // namespace caisson_runtime
