/// An OCI runtime that is a program with runc's command line: runc, crun, youki, kata-runtime …
#include <algorithm>
#include <chrono>
#include <csignal>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "shim/detail/cgroup_of.h"
#include "shim/detail/oci_runtime.h"
#include "shim/detail/rootfs.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace shim::detail {
namespace {

using base::Result;

constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kPidLimit = 64;

class ExternalRuntime final : public OciRuntime {
 public:
  ExternalRuntime(std::string dir, Options options) : dir_{std::move(dir)}, options_{std::move(options)} {}

  Result<NewProcess> create(Streams streams, OnCloned on_cloned) override;
  Result<> start() override { return run({"start", options_.id}); }
  Result<> kill(int signal, bool all) override;
  Result<> pause() override { return run({"pause", options_.id}); }
  Result<> resume() override { return run({"resume", options_.id}); }
  Result<> update(const codec::Json& resources) override;
  Result<NewProcess> exec(const std::string& id, const codec::Json& process, Streams streams) override;
  Result<std::vector<int>> processes() override;
  Result<> destroy() override;
  [[nodiscard]] int oom_fd() const override { return oom_ ? oom_->fd() : -1; }
  Result<std::uint64_t> oom_kills() override { return oom_ ? oom_->kills() : Result<std::uint64_t>{0}; }

 private:
  [[nodiscard]] std::string file(std::string_view name) const { return dir_ + "/" + std::string{name}; }
  Result<> set_root();
  /// Runs a verb to its end. `streams` become the program's own.
  Result<> run(std::vector<std::string> verb, Streams streams = {});
  /// Runs a verb that makes a process, and says which.
  Result<NewProcess> run_process(std::vector<std::string> verb, Streams streams, const std::string& pid_file);
  [[nodiscard]] base::Error failure(const sys::ExitStatus& status, std::string_view verb) const;

  const std::string dir_;
  const Options options_;
  std::optional<cgroup::OomWatch> oom_;
};

Result<> ExternalRuntime::set_root() {
  std::string root = options_.rootfs;
  if (options_.overlay) {
    root = file("rootfs");
    TRY(mount_root(*options_.overlay, root));
  }
  const std::string path = file(files::kConfig);
  const std::string text = TRY(sys::read_file(sys::kCwd, path));
  codec::Json config = TRY(codec::Json::parse(text));
  codec::Json old = config["root"];
  old.set("path", root);
  config.set("root", std::move(old));
  return sys::write_file_atomic(sys::kCwd, path, config.dump(), 0600);
}

Result<NewProcess> ExternalRuntime::create(Streams streams, OnCloned on_cloned) {
  TRY(set_root());
  auto made = run_process({"create", "--bundle", dir_}, std::move(streams), file("runtime.pid"));
  if (made) {
    if (auto told = on_cloned(made->pid); !told) made = Result<NewProcess>{std::move(told).error()};
  }
  if (!made) {
    auto error = std::move(made).error();
    if (const auto cleaned = destroy(); !cleaned) return std::move(error).and_also(cleaned.error());
    return error;
  }
  // A runtime that keeps its processes elsewhere (a virtual machine) has no such cgroup.
  if (const auto group = cgroup_of(made->pid)) {
    if (auto watch = group->watch_oom()) oom_ = std::move(*watch);
  }
  return made;
}

Result<NewProcess> ExternalRuntime::run_process(std::vector<std::string> verb, Streams streams,
                                                const std::string& pid_file) {
  verb.insert(verb.begin() + 1, {"--pid-file", pid_file});
  sys::UniqueFd listener;
  const std::string console = file("console.sock");
  const base::ScopeGuard remove{[&] {
    if (listener) base::ignore(sys::unlink_at(sys::kCwd, console), "best effort");
  }};
  if (streams.tty) {
    listener = TRY(sys::listen_unix(console, SOCK_STREAM | SOCK_NONBLOCK, 0600));
    verb.insert(verb.begin() + 1, {"--console-socket", console});
  }
  // Options first, the id last.
  verb.push_back(options_.id);
  TRY(run(std::move(verb), std::move(streams)));
  NewProcess made;
  const std::string pid = TRY(sys::read_file(sys::kCwd, pid_file, kPidLimit));
  made.pid = static_cast<pid_t>(base::parse_int(base::trim(pid)).value_or(0));
  if (made.pid <= 0) return base::internal("the runtime wrote no pid to " + pid_file);
  if (!listener) return made;
  // The runtime has ended, so what it sent is here.
  const sys::UniqueFd connection = TRY(sys::accept_on(listener.get()).context("take the terminal from the runtime"));
  auto message = TRY(sys::receive_message(connection.get(), 4096).context("take the terminal from the runtime"));
  if (!message || message->fds.empty()) return base::internal("the runtime sent no terminal");
  made.terminal = std::move(message->fds.front());
  return made;
}

base::Error ExternalRuntime::failure(const sys::ExitStatus& status, std::string_view verb) const {
  // The last error of its log; both runc and crun write JSON lines.
  std::string message;
  if (const auto text = sys::read_file(sys::kCwd, file("runtime.log"))) {
    for (const auto line : base::split_words(*text, '\n')) {
      const auto entry = codec::Json::parse(line);
      if (entry && (*entry)["level"].as_string() == "error") message = (*entry)["msg"].as_string();
    }
  }
  if (message.empty()) message = fmt::format("{} {} ended with status {}", options_.runtime, verb, status.shell_code());
  const auto says = [&](std::string_view text) { return message.find(text) != std::string::npos; };
  const base::Error error{base::ErrorKind::Internal, message};
  switch (exit_code_of_failure(error)) {
    case 127: return base::Error{base::ErrorKind::NotFound, message};
    case 126: return base::Error{base::ErrorKind::PermissionDenied, message};
    default: break;
  }
  if (says("does not exist") || says("already finished") || says("not running") || says("stopped")) {
    return base::Error{base::ErrorKind::Conflict, message};
  }
  return error;
}

Result<> ExternalRuntime::run(std::vector<std::string> verb, Streams streams) {
  const std::string name = verb.front();
  const std::string log = file("runtime.log");
  base::ignore(sys::unlink_at(sys::kCwd, log), "there is none the first time");
  std::vector<std::string> argv{options_.runtime};
  argv.insert(argv.end(), options_.runtime_arguments.begin(), options_.runtime_arguments.end());
  argv.insert(argv.end(), {"--root", options_.runtime_root, "--log", log, "--log-format", "json"});
  if (options_.systemd_cgroup) argv.emplace_back("--systemd-cgroup");
  argv.insert(argv.end(), verb.begin(), verb.end());
  const sys::UniqueFd null = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDWR));
  const auto or_null = [&](const sys::UniqueFd& fd) { return fd ? fd.get() : null.get(); };
  const sys::Process child = TRY(sys::spawn({
      .path = options_.runtime,
      .argv = std::move(argv),
      .env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      .fds = {{or_null(streams.in), 0}, {or_null(streams.out), 1}, {or_null(streams.err), 2}},
      .cwd = dir_,
  }));
  streams = {};
  if (!sys::poll_readable(child.pidfd(), kPatience)) {
    base::ignore(child.signal(SIGKILL), "it may just have ended");
    base::ignore(child.wait(), "only to reap it");
    return base::unavailable(fmt::format("{} {} did not end in {} s", options_.runtime, name, kPatience.count()));
  }
  const sys::ExitStatus status = TRY(child.wait());
  if (status.shell_code() == 0) return {};
  return failure(status, name);
}

Result<> ExternalRuntime::kill(int signal, bool all) {
  std::vector<std::string> verb{"kill"};
  if (all) verb.emplace_back("--all");
  verb.push_back(options_.id);
  verb.push_back(std::to_string(signal));
  return run(std::move(verb));
}

Result<> ExternalRuntime::update(const codec::Json& resources) {
  const std::string path = file("resources.json");
  TRY(sys::write_file_atomic(sys::kCwd, path, resources.dump(), 0600));
  return run({"update", "--resources", path, options_.id});
}

Result<NewProcess> ExternalRuntime::exec(const std::string& id, const codec::Json& process, Streams streams) {
  const std::string path = file("process-" + id + ".json");
  const std::string pid_file = file("process-" + id + ".pid");
  TRY(sys::write_file_atomic(sys::kCwd, path, process.dump(), 0600));
  const base::ScopeGuard remove{[&] {
    base::ignore(sys::unlink_at(sys::kCwd, path), "best effort");
    base::ignore(sys::unlink_at(sys::kCwd, pid_file), "best effort");
  }};
  return run_process({"exec", "--detach", "--process", path}, std::move(streams), pid_file);
}

Result<std::vector<int>> ExternalRuntime::processes() {
  auto pipe = TRY(sys::make_pipe());
  Streams streams;
  streams.out = std::move(pipe.write);
  TRY(run({"ps", "--format", "json", options_.id}, std::move(streams)));
  const std::string text = TRY(sys::read_to_end(pipe.read.get()));
  const codec::Json list = TRY(codec::Json::parse(text));
  std::vector<int> pids;
  for (const auto& pid : list.as_array()) pids.push_back(static_cast<int>(pid.as_int()));
  return pids;
}

Result<> ExternalRuntime::destroy() {
  Result<> removed;
  // runc and crun both keep a directory per container there.
  if (TRY(sys::exists(sys::kCwd, options_.runtime_root + "/" + options_.id))) {
    removed = run({"delete", "--force", options_.id});
    if (removed.failed_as(base::ErrorKind::Conflict)) removed = {};
  }
  if (!options_.overlay) return removed;
  auto unmounted = unmount_root(file("rootfs"));
  return removed ? std::move(unmounted) : std::move(removed);
}

}  // namespace

std::unique_ptr<OciRuntime> make_external_runtime(const std::string& dir, const Options& options) {
  return std::make_unique<ExternalRuntime>(dir, options);
}

}  // namespace shim::detail
