#include "runtime/detail/program.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/names.h"
#include "sys/credentials.h"
#include "sys/file.h"

namespace runtime::detail {

using base::Error;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::string_view kUnreachable = "(unreachable)";

sys::CapabilitySet bit(std::string_view name) { return sys::CapabilitySet{1} << *sys::capability_number(name); }

/// 0, or the errno that speaks against executing it, with `stat` telling whether that failed already.
struct Verdict {
  int error = 0;
  bool stat_failed = false;
};

Verdict judge(const std::string& path) {
  // Following symlinks: this is the container's own root by now.
  const auto opened = sys::open_at(sys::kCwd, path, O_PATH);
  if (!opened) return {opened.error().errno_value(), true};
  const auto status = sys::stat_fd(opened->get());
  if (!status) return {status.error().errno_value(), true};
  if (S_ISDIR(status->st_mode)) return {EISDIR};
  const auto allowed = sys::check_executable(path);
  return {allowed ? 0 : allowed.error().errno_value()};
}

/// Of several settings of a variable the last one counts; most programs would take the first.
void keep_last(std::vector<std::string>& env) {
  std::set<std::string_view> seen;
  std::vector<std::string> kept;
  for (auto one = env.rbegin(); one != env.rend(); ++one) {
    if (seen.insert(std::string_view{*one}.substr(0, one->find('='))).second) kept.push_back(*one);
  }
  env.assign(kept.rbegin(), kept.rend());
}

Error refusal(const std::string& name, const Verdict& verdict) {
  std::string reason = plain_errno_text(verdict.error);
  // What execve(2) says of a directory; older engines know that text alone as "not executable" (126).
  if (verdict.error == EISDIR) reason += ": " + plain_errno_text(EACCES);
  const bool missing = verdict.error == ENOENT || verdict.error == ENOTDIR;
  return {missing ? ErrorKind::NotFound : ErrorKind::PermissionDenied, verdict.error,
          fmt::format("exec: {}: {}{}", base::quoted(name), verdict.stat_failed ? "stat " + name + ": " : "", reason)};
}

}  // namespace

Result<AsUser> AsUser::become(const spec::oci::User& user, sys::CapabilitySet effective) {
  AsUser out;
  out.before_ = TRY(sys::current_capabilities());
  const sys::CapabilitySet passing = bit("CAP_DAC_OVERRIDE") | bit("CAP_DAC_READ_SEARCH");
  sys::CapabilityState reduced = out.before_;
  reduced.effective &= ~(passing & ~effective);
  out.active_ = true;
  if (user.uid != 0 || user.gid != 0) sys::set_file_system_ids(user.uid, user.gid);
  // After the ids: another fsuid than root's takes these capabilities away, be they the user's or not.
  TRY(sys::set_capabilities(reduced));
  return out;
}

AsUser::AsUser(AsUser&& other) noexcept : active_{std::exchange(other.active_, false)}, before_{other.before_} {}

AsUser::~AsUser() {
  if (!active_) return;
  sys::set_file_system_ids(0, 0);
  base::ignore(sys::set_capabilities(before_), "giving back what we had can't fail");
}

Result<std::string> find_program(const std::string& name, const std::vector<std::string>& env) {
  if (name.empty()) return Error{ErrorKind::NotFound, ENOENT, "exec: \"\": executable file not found in $PATH"};
  if (name.find('/') != std::string::npos) {
    const Verdict verdict = judge(name);
    if (verdict.error != 0) return refusal(name, verdict);
    return name;
  }
  const std::string path = variable(env, "PATH");
  for (const auto directory : base::split(path, ':')) {
    // A relative entry would make the result depend on the working directory.
    if (!directory.starts_with('/')) continue;
    std::string candidate = directory.ends_with('/') ? fmt::format("{}{}", directory, name) : fmt::format("{}/{}", directory, name);
    if (judge(candidate).error == 0) return candidate;
  }
  return Error{ErrorKind::NotFound, ENOENT,
               fmt::format("exec: {}: executable file not found in $PATH", base::quoted(name))};
}

Result<> enter_directory(const std::string& path) {
  auto entered = sys::change_directory(path.empty() ? "/" : path);
  if (!entered) {
    const Error& error = entered.error();
    return Error{error.kind(), error.errno_value(),
                 fmt::format("chdir to cwd ({}) set in config.json failed: {}", base::quoted(path),
                             plain_errno_text(error.errno_value()))};
  }
  const std::string here = TRY(sys::working_directory());
  if (here.starts_with(kUnreachable)) {
    return base::invalid("current working directory is outside of container mount namespace root");
  }
  return {};
}

std::string variable(const std::vector<std::string>& env, std::string_view name) {
  for (const auto& one : env) {
    if (one.size() > name.size() && one[name.size()] == '=' && one.starts_with(name)) return one.substr(name.size() + 1);
  }
  return {};
}

namespace {

/// The file is the container's. Looked at before it is opened, as opening a device node alone can do something (a
/// watchdog starts, a tape is wound), and it would be done with the runtime's rights to devices.
Result<std::string> read_passwd(int host_proc) {
  const sys::UniqueFd place = TRY(sys::open_in_root(sys::kCwd, "/etc/passwd", O_PATH));
  if (!S_ISREG(TRY(sys::stat_fd(place.get())).st_mode)) return base::invalid("/etc/passwd is not a file");
  const sys::UniqueFd file = TRY(sys::open_at(host_proc, fmt::format("self/fd/{}", place.get()), O_RDONLY | O_NONBLOCK));
  return sys::read_to_end(file.get(), std::size_t{4} << 20U);
}

}  // namespace

std::vector<std::string> complete_environment(std::vector<std::string> env, std::uint32_t uid, int host_proc) {
  keep_last(env);
  if (!variable(env, "HOME").empty()) return env;
  std::string home = "/";
  if (const auto text = read_passwd(host_proc)) {
    const auto lines = base::split_words(*text, '\n');
    for (const auto line : lines) {
      const auto fields = base::split(line, ':');
      if (fields.size() < 6 || base::parse_uint(fields[2]) != uid) continue;
      if (!fields[5].empty()) home = fields[5];
      break;
    }
  }
  std::erase_if(env, [](const std::string& one) { return one.starts_with("HOME="); });
  env.push_back("HOME=" + home);
  return env;
}

}  // namespace runtime::detail
