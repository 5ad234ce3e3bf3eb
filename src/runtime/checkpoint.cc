#include "runtime/checkpoint.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sched.h>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "runtime/detail/checkpoint_notes.h"
#include "runtime/detail/container_data.h"
#include "runtime/detail/criu_mounts.h"
#include "runtime/detail/criu_options.h"
#include "runtime/detail/criu_session.h"
#include "runtime/detail/image_manifest.h"
#include "sys/file.h"

namespace runtime {

using base::Result;
using sys::UniqueFd;

namespace {

using namespace detail;

/// What the process has now, where nothing was noted when it was made.
std::vector<std::string> present_descriptors(pid_t pid) {
  std::vector<std::string> out;
  for (int number = 0; number < 3; ++number) {
    const auto link = sys::read_link(sys::kCwd, fmt::format("/proc/{}/fd/{}", pid, number));
    out.push_back(link ? *link : std::string{});
  }
  return out;
}

Result<> check_status_fd(int fd) {
  const auto status = sys::read_file(sys::kCwd, fmt::format("/proc/self/fdinfo/{}", fd));
  if (!status) return base::invalid(fmt::format("invalid --status-fd argument {}: it is not open", fd));
  for (const auto line : base::split(*status, '\n')) {
    const auto pair = base::cut(line, ":");
    if (!pair || pair->first != "flags") continue;
    const auto flags = base::trim(pair->second);
    // Octal; the last digit has the access mode.
    if (!flags.empty() && ((flags.back() - '0') & O_ACCMODE) != O_RDONLY) return {};
  }
  return base::invalid(fmt::format("invalid --status-fd argument {}: not writable", fd));
}

Result<bool> in_user_namespace(pid_t pid) {
  const UniqueFd ours = TRY(sys::open_at(sys::kCwd, "/proc/self/ns/user", O_RDONLY));
  const UniqueFd theirs = TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/user", pid), O_RDONLY));
  return TRY(sys::stat_fd(ours.get())).st_ino != TRY(sys::stat_fd(theirs.get())).st_ino;
}

class Dump {
 public:
  Dump(const CheckpointOptions& options, Container::Data& data, Status status)
      : options_{options}, data_{data}, status_{status} {}

  Result<> run() {
    auto session = TRY(criu::Session::start(options_.criu, TRY(input())));
    if (options_.pre_dump && !TRY(session.features({.mem_track = true})).mem_track) {
      return base::not_implemented("pre-dump needs a kernel that tracks changed memory: CRIU says that this one does not");
    }
    if (options_.lazy_pages && !TRY(session.features({.lazy_pages = true})).lazy_pages) {
      return base::not_implemented("lazy pages need userfaultfd in kernel and CRIU, which one of them lacks");
    }
    auto opts = TRY(criu::common_options(options_, images_, work_, "dump.log", session.version()));
    opts.config_file = criu::config_file(data_.state.annotations);
    TRY(add_container(opts));
    add_wishes(opts);
    criu::Request request;
    request.type = options_.pre_dump ? criu::RequestType::PreDump : criu::RequestType::Dump;
    request.opts = std::move(opts);
    auto done = session.perform(request, criu::log_path(options_, "dump.log"), [&](criu::Event event) { return on(event); });
    if (!done) {
      // A CRIU that is killed leaves the freezer as it is.
      if (status_ == Status::Running) base::ignore(thaw(), "the failure that led here is the one to tell");
      return std::move(done).error();
    }
    return criu::write_manifest(images_.get()).context("the container is saved, but");
  }

 private:
  Result<std::vector<sys::FdMapping>> input() {
    null_ = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDONLY));
    TRY(sys::make_dirs(sys::kCwd, options_.image_path, 0700).context("make the directory of the checkpoint"));
    images_ = TRY(sys::open_dir(sys::kCwd, options_.image_path));
    if (TRY(in_user_namespace(data_.state.pid))) TRY(criu::let_others_search(images_.get()));
    // An earlier one's sizes are not this one's.
    const auto stale = sys::unlink_at(images_.get(), std::string{criu::kManifestFile});
    if (!stale && !stale.failed_as(base::ErrorKind::NotFound)) return base::Error{stale.error()};
    work_ = TRY(criu::open_work_directory(options_.work_path));
    std::vector<sys::FdMapping> fds{{null_.get(), 0}};
    return fds;
  }

  Result<> add_container(criu::Options& opts) {
    const pid_t pid = data_.state.pid;
    opts.pid = pid;
    opts.root = data_.state.rootfs;
    auto* group = TRY(data_.open_cgroup());
    opts.freeze_cgroup = group->directory_of("freezer");
    if (opts.freeze_cgroup.empty()) opts.freeze_cgroup = group->directory_of("");
    for (const auto& type : data_.state.joined_namespaces) {
      const std::string key = criu::external_namespace_key(type);
      if (key.empty()) continue;
      const std::string name = type == "network" ? "net" : type;
      const UniqueFd fd = TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/{}", pid, name), O_RDONLY));
      opts.external.push_back(fmt::format("{}[{}]:{}", name, TRY(sys::stat_fd(fd.get())).st_ino, key));
    }
    if (options_.pre_dump) return {};
    opts.ext_mnt = TRY(criu::mounts_to_dump(pid, data_.state.binds));
    const auto descriptors = data_.state.descriptors.empty() ? present_descriptors(pid) : data_.state.descriptors;
    return sys::write_file_atomic(images_.get(), std::string{kDescriptorsFile}, codec::to_json(descriptors).dump(), 0600);
  }

  void add_wishes(criu::Options& opts) const {
    opts.leave_running = options_.leave_running;
    opts.tcp_skip_in_flight = options_.tcp_skip_in_flight;
    opts.link_remap = options_.link_remap;
    opts.page_server_address = options_.page_server;
    opts.page_server_port = options_.page_port;
    opts.parent_img = options_.parent_path;
    opts.track_mem = options_.pre_dump || !options_.parent_path.empty();
  }

  Result<> on(const criu::Event& event) const {
    if (event.notification.script == "status-ready" && options_.status_fd >= 0) {
      return sys::write_all(options_.status_fd, std::string_view{"\0", 1}).context("tell that the page server is ready");
    }
    return {};
  }

  Result<> thaw() {
    auto* group = TRY(data_.open_cgroup());
    return TRY(group->frozen()) ? group->thaw() : Result<>{};
  }

  const CheckpointOptions& options_;
  Container::Data& data_;
  Status status_;
  UniqueFd null_;
  UniqueFd images_;
  UniqueFd work_;
};

}  // namespace

Result<CgroupMode> parse_cgroup_mode(std::string_view word) {
  if (word.empty()) return CgroupMode::Default;
  if (word == "soft") return CgroupMode::Soft;
  if (word == "full") return CgroupMode::Full;
  if (word == "strict") return CgroupMode::Strict;
  if (word == "ignore") return CgroupMode::Ignore;
  return base::invalid("invalid manage-cgroups-mode value: want soft, full, strict or ignore");
}

Result<> Container::checkpoint(const CheckpointOptions& options) {
  const Status status = data_->status();
  if (status != Status::Running && status != Status::Paused) {
    return base::conflict(fmt::format("Container cannot be checkpointed in {} state", name_of(status)));
  }
  if (options.status_fd >= 0) TRY(check_status_fd(options.status_fd));
  return Dump{options, *data_, status}.run();
}

}  // namespace runtime
