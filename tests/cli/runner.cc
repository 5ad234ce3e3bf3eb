/// cli_cases [--bin FOLDER] FILE…: runs command line cases against a caissond of their own.
///
/// Each file gets new mount, network, UTS and process namespaces, a data root that is removed afterwards,
/// and a daemon; the end of the process namespace ends whatever a failed case leaves behind.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "case_file.h"
#include "sys/dir_watch.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/process.h"
#include "sys/socket.h"
#include "sys/stream_socket.h"

namespace {

using base::Result;
using cli_cases::Step;
using Names = std::map<std::string, std::string>;

struct Finished {
  std::string out, err;
  int status;
};

/// Runs to its end; both outputs are read at once, so neither can block it.
Result<Finished> run_command(const std::string& command, const std::string& input,
                             const std::vector<std::string>& environment, const std::string& folder) {
  sys::Pipe in = TRY(sys::make_pipe());
  sys::Pipe out = TRY(sys::make_pipe());
  sys::Pipe err = TRY(sys::make_pipe());
  sys::SpawnOptions options{
      .path = "/bin/sh", .argv = {"sh", "-c", command}, .env = environment, .cwd = folder};
  options.fds = {{in.read.get(), 0}, {out.write.get(), 1}, {err.write.get(), 2}};
  const sys::Process process = TRY(sys::spawn(options));
  in.read.reset();
  out.write.reset();
  err.write.reset();
  base::ignore(sys::write_all(in.write.get(), input), "the command may not want to read it");
  in.write.reset();
  Finished finished{};
  std::jthread errors{[&] { finished.err = sys::read_to_end(err.read.get()).value_or("?"); }};
  finished.out = TRY(sys::read_to_end(out.read.get()));
  errors.join();
  finished.status = TRY(process.wait()).shell_code();
  return finished;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (const auto line : base::split(text, '\n')) out.emplace_back(line);
  if (!out.empty() && out.back().empty()) out.pop_back();
  // An empty line stands for itself in output but not in a case file.
  std::erase(out, "");
  return out;
}

std::string with_names(std::string text, const Names& names) {
  for (const auto& [name, value] : names) {
    const std::string mark = "${" + name + "}";
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

std::vector<std::string> with_names(std::vector<std::string> lines, const Names& names) {
  for (auto& line : lines) line = with_names(std::move(line), names);
  return lines;
}

void print_lines(const char* title, const std::vector<std::string>& lines) {
  std::printf("  %s:\n", title);
  for (const auto& line : lines) std::printf("    %s\n", line.c_str());
}

/// A daemon in this process's namespaces. It belongs to their process 1, so that a case can kill it.
class Daemon {
 public:
  static Result<Daemon> start(const std::string& bin, const std::string& folder) {
    const std::string socket = folder + "/caissond.sock";
    auto watch = TRY(sys::DirWatch::open(folder));
    const std::string command = fmt::format(
        "{0}/caissond --data-root {1}/data --exec-root {1}/exec --pidfile {1}/pid --config-file {1}/daemon.json "
        "-H unix://{2} >>{1}/caissond.log 2>&1 </dev/null &",
        bin, folder, socket);
    TRY(run_command(command, "", {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, folder));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!sys::connect_unix(socket, SOCK_STREAM)) {
      if (!TRY(sys::wait_ready(watch.fd(), POLLIN, deadline))) {
        return base::internal("caissond does not answer:\n" +
                              sys::read_file(sys::kCwd, folder + "/caissond.log").value_or(""));
      }
      watch.clear();
    }
    return Daemon{folder + "/pid"};
  }
  /// Also when a case has started another one meanwhile.
  void stop() {
    const auto pid = base::parse_int(base::trim(sys::read_file(sys::kCwd, pid_file_).value_or("")));
    if (!pid) return;
    const auto process = sys::Process::open(static_cast<pid_t>(*pid));
    if (!process || !process->signal(SIGTERM)) return;
    base::ignore(sys::wait_ready(process->pidfd(), POLLIN, std::chrono::steady_clock::now() + std::chrono::seconds{20}),
                 "the end of the namespaces ends it");
  }

 private:
  explicit Daemon(std::string pid_file) : pid_file_{std::move(pid_file)} {}
  std::string pid_file_;
};

/// False when a step's outcome is another than the file says.
Result<bool> run_steps(const std::string& file, const std::vector<Step>& steps,
                       const std::vector<std::string>& environment, const std::string& folder) {
  Names names;
  bool good = true;
  for (const auto& step : steps) {
    const auto done = TRY(run_command(with_names(step.command, names), step.input, environment, folder));
    const auto out = lines_of(done.out);
    const auto err = lines_of(done.err);
    const auto expected_out = with_names(step.out, names);
    const auto expected_err = with_names(step.err, names);
    const bool fits = done.status == step.status && cli_cases::matches(expected_out, out) &&
                      cli_cases::matches(expected_err, err);
    if (!fits) {
      good = false;
      std::printf("%s:%d: %s\n", file.c_str(), step.line, step.command.c_str());
      if (done.status != step.status)
        std::printf("  exit status %d, expected %d\n", done.status, step.status);
      if (!cli_cases::matches(expected_out, out)) {
        print_lines("stdout", out);
        print_lines("expected", expected_out);
      }
      if (!cli_cases::matches(expected_err, err)) {
        print_lines("stderr", err);
        print_lines("expected", expected_err);
      }
    }
    for (std::size_t i = 0; i < step.captures.size() && i < out.size(); ++i) names[step.captures[i]] = out[i];
  }
  return good;
}

/// In the namespaces already.
Result<bool> run_file(const std::string& bin, const std::string& file, const std::string& folder) {
  const std::string text = TRY(sys::read_file(sys::kCwd, file));
  const auto steps = TRY(cli_cases::parse_cases(file, text));
  TRY(sys::make_dir(sys::kCwd, folder + "/bin", 0700));
  TRY(sys::make_dir(sys::kCwd, folder + "/work", 0700));
  for (const char* name : {"caisson", "docker"}) {
    TRY(sys::symlink_at(bin + "/caisson", sys::kCwd, folder + "/bin/" + name));
  }
  const std::vector<std::string> environment{"PATH=" + folder + "/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                             "HOME=" + folder + "/work",
                                             "DOCKER_HOST=unix://" + folder + "/caissond.sock",
                                             "TZ=UTC",
                                             "BIN=" + bin,
                                             "FOLDER=" + folder};
  Daemon daemon = TRY(Daemon::start(bin, folder));
  const bool good = TRY(run_steps(file, steps, environment, folder + "/work"));
  TRY(run_command("docker ps -aq | xargs -r docker rm -f", "", environment, folder));
  daemon.stop();
  if (!good) {
    std::printf("caissond's log:\n%s",
                sys::read_file(sys::kCwd, folder + "/caissond.log").value_or("").c_str());
  }
  return good;
}

Result<> enter_private_namespaces() {
  TRY(sys::change_mount_at("/", {.propagation = MS_PRIVATE}, true));
  const auto proc = TRY(sys::make_mount({.type = "proc", .source = "proc"}));
  const auto target = TRY(sys::open_at(sys::kCwd, "/proc", O_PATH | O_DIRECTORY));
  TRY(sys::attach_mount(proc.get(), target.get()));
  return sys::bring_up_loopback();
}

/// Process 1 of the namespaces: reaps what others leave behind, as an init does, until `runner` has ended.
[[noreturn]] void be_init(const sys::Process& runner) {
  while (true) {
    int status = 0;
    const pid_t ended = ::wait(&status);
    if (ended == runner.pid()) ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
}

Result<bool> run_apart(const std::string& bin, const std::string& file) {
  std::string folder = "/var/tmp/cli-cases-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return base::Error::from_errno(errno, "mkdtemp");
  // After the namespaces are gone, and with them what was mounted below it.
  const base::ScopeGuard cleanup{[&] {
    if (auto removed = sys::remove_tree(sys::kCwd, folder); !removed) {
      std::printf("%s\n", removed.error().message().c_str());
    }
  }};
  constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS;
  std::fflush(stdout);
  const sys::Process child = TRY(sys::clone_process({.flags = kNamespaces}));
  if (!child.valid()) {
    auto good = enter_private_namespaces();
    auto runner = sys::clone_process({});
    if (runner && runner->valid()) be_init(*runner);
    Result<bool> done = good ? run_file(bin, file, folder) : Result<bool>{good.error()};
    if (!done) std::printf("%s: %s\n", file.c_str(), done.error().message().c_str());
    std::fflush(stdout);
    ::_exit(runner && done && *done ? 0 : 1);
  }
  return TRY(child.wait()).shell_code() == 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string bin = "build/dev/bin";
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view{argv[i]} == "--bin" && i + 1 < argc) {
      bin = argv[++i];
    } else {
      files.emplace_back(argv[i]);
    }
  }
  if (files.empty()) {
    std::fprintf(stderr, "usage: %s [--bin FOLDER] FILE...\n", argv[0]);
    return 2;
  }
  char* absolute = ::realpath(bin.c_str(), nullptr);
  if (absolute != nullptr) bin = absolute;
  std::free(absolute);
  int failed = 0;
  for (const auto& file : files) {
    const auto good = run_apart(bin, file);
    if (!good) std::fprintf(stderr, "%s: %s\n", file.c_str(), good.error().message().c_str());
    const bool passed = good && *good;
    std::printf("%s: %s\n", file.c_str(), passed ? "passed" : "FAILED");
    failed += passed ? 0 : 1;
  }
  return failed == 0 ? 0 : 1;
}
