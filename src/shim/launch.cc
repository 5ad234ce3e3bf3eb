/// How the daemon comes to a shim: by starting it, by finding it, by finding what it left.
#include <algorithm>
#include <array>
#include <csignal>

#include "base/log.h"
#include "base/strings.h"
#include "base/time.h"
#include "shim/client.h"
#include "shim/detail/exit_record.h"
#include "shim/detail/oci_runtime.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace shim {
namespace {

using base::Result;

std::string in(const std::string& dir, std::string_view name) { return dir + "/" + std::string{name}; }

bool is_exec_exit(std::string_view name) { return name.starts_with("exec-") && name.ends_with(".json"); }

/// What a run before this one left would be taken for this one's, or be in its way: a shim that was
/// killed at the wrong moment leaves the runtime's state. Errors: Conflict if a shim is at work there.
Result<> clear(const std::string& dir, const Options& options) {
  if (sys::connect_unix(in(dir, files::kSocket), SOCK_SEQPACKET)) {
    return base::conflict("the container is looked after by another shim");
  }
  if (TRY(sys::exists(sys::kCwd, options.runtime_root + "/" + options.id))) {
    TRY(detail::open_runtime(dir, options)->destroy().context("remove what an earlier run left"));
  }
  static constexpr std::array<std::string_view, 4> kStale{files::kExit, files::kPid, files::kShimPid, files::kSocket};
  const sys::UniqueFd folder = TRY(sys::open_dir(sys::kCwd, dir));
  const auto entries = TRY(sys::list_dir(folder.get()));
  for (const auto& entry : entries) {
    const bool stale = std::ranges::find(kStale, entry.name) != kStale.end() || is_exec_exit(entry.name);
    if (stale) TRY(sys::unlink_at(folder.get(), entry.name));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Client>> Client::launch(const Launch& launch, Observer& observer) {
  TRY(sys::make_dirs(sys::kCwd, launch.dir, 0700));
  TRY(clear(launch.dir, launch.options));
  TRY(sys::write_file_atomic(sys::kCwd, in(launch.dir, files::kConfig), launch.config, 0600));
  TRY(sys::write_file_atomic(sys::kCwd, in(launch.dir, files::kOptions), codec::to_json(launch.options).dump(), 0600));
  auto pair = TRY(sys::make_socket_pair(SOCK_SEQPACKET));
  TRY(sys::set_nonblocking(pair.first.get(), true));
  const sys::UniqueFd null = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDWR));
  TRY(sys::spawn({
      .path = launch.program,
      .argv = {launch.program, "--dir", launch.dir},
      .env = launch.environment,
      .fds = {{null.get(), 0}, {null.get(), 1}, {null.get(), 2}, {pair.second.get(), kInheritedConnection}},
      .cwd = "/",
      .new_session = true,
      .orphan = true,
  }));
  return std::unique_ptr<Client>{new Client{std::move(pair.first), observer}};
}

Result<std::unique_ptr<Client>> Client::adopt(const std::string& dir, Observer& observer) {
  auto connected = sys::connect_unix(in(dir, files::kSocket), SOCK_SEQPACKET);
  if (connected.failed_as(base::ErrorKind::Unavailable)) {
    return base::not_found("no shim runs for " + dir);
  }
  sys::UniqueFd connection = TRY(std::move(connected));
  TRY(sys::set_nonblocking(connection.get(), true));
  return std::unique_ptr<Client>{new Client{std::move(connection), observer}};
}

Result<std::optional<Exit>> read_exit(const std::string& dir) { return detail::read_exit_file(in(dir, files::kExit)); }

Result<std::map<std::string, Exit>> read_exec_exits(const std::string& dir) {
  std::map<std::string, Exit> exits;
  const sys::UniqueFd folder = TRY(sys::open_dir(sys::kCwd, dir));
  const auto entries = TRY(sys::list_dir(folder.get()));
  for (const auto& entry : entries) {
    if (!is_exec_exit(entry.name)) continue;
    auto exit = TRY(detail::read_exit_file(in(dir, entry.name)));
    const std::string id = entry.name.substr(5, entry.name.size() - 10);
    if (exit) exits.emplace(id, std::move(*exit));
  }
  return exits;
}

Result<Exit> bury(const std::string& dir) {
  const std::string text = TRY(sys::read_file(sys::kCwd, in(dir, files::kOptions)));
  const auto options = TRY(codec::from_json_text<Options>(text).context("shim.json"));
  // Also when the exit is on record: the shim may have been killed between that and the clean-up.
  TRY(detail::open_runtime(dir, options)->destroy().context("bury the container"));
  if (auto exit = TRY(read_exit(dir))) return std::move(*exit);
  Exit exit = detail::make_exit(sys::ExitStatus::killed(SIGKILL));
  exit.error = "the container's supervisor was killed";
  TRY(detail::write_exit(in(dir, files::kExit), exit));
  return exit;
}

}  // namespace shim
