/// A shell with tools beside a container that has none: another container in the first one's namespaces, which
/// sees its files at /target.
#include <fmt/format.h>

#include "base/byte_stream.h"
#include "cli/commands/all.h"
#include "cli/container/create.h"
#include "cli/stream/container_session.h"
#include "client/container_files.h"
#include "codec/tar.h"
#include "sys/pty.h"

namespace cli {

using base::Result;
using spec::api::ContainerInspect;

namespace {

constexpr std::string_view kTarget = "target";

class Debug final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("detach-keys", detach_keys_);
    flags("image", image_);
    flags("privileged", privileged_);
    flags("user", user_);
  }
  [[nodiscard]] flags::Interspersed interspersed() const override { return flags::Interspersed::No; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    client::Containers containers{client};
    const auto subject = TRY(containers.inspect(invocation.arguments[0]));
    const bool terminal = sys::is_terminal(0) && cli.out().is_terminal();
    auto request = helper_of(subject, terminal);
    request.config.cmd = spec::api::StringList(invocation.arguments.begin() + 1, invocation.arguments.end());
    if (request.config.cmd->empty()) request.config.cmd = spec::api::StringList{"sh"};
    const std::string id = TRY(create_container(cli, client, {}, {}, std::move(request)));
    const SessionOptions session{
        .id = id, .tty = terminal, .in = true, .auto_remove = true, .detach_keys = detach_keys_};
    bool started = false;
    auto status = [&]() -> Result<int> {
      TRY(show_files(cli, client, subject, id).context("show the files of " + invocation.arguments[0]));
      return run_session(cli, client, session, [&]() -> Result<> {
        TRY(containers.start(id));
        started = true;
        return {};
      });
    }();
    // One that was never started is not removed by itself.
    if (!status && !started) {
      const auto removed = containers.remove(id, {.volumes = true, .force = true});
      if (!removed && !removed.failed_as(base::ErrorKind::NotFound)) {
        return base::Error{status.error()}.and_also(removed.error());
      }
    }
    return status;
  }

 private:
  [[nodiscard]] spec::api::CreateContainerRequest helper_of(const ContainerInspect& subject, bool terminal) const {
    spec::api::CreateContainerRequest out;
    auto& config = out.config;
    config.image = image_;
    config.user = user_;
    config.tty = terminal;
    config.attach_stdin = config.open_stdin = config.stdin_once = true;
    config.attach_stdout = config.attach_stderr = true;
    config.working_dir = "/";
    config.labels = spec::api::Labels{{"caisson.debug", subject.id}};
    auto& host = out.host_config;
    host.auto_remove = true;
    host.privileged = privileged_;
    if (!subject.state.running) return out;
    const std::string there = "container:" + subject.id;
    host.pid_mode = there;
    host.network_mode = there;
    // A private IPC namespace takes no guests.
    const auto& ipc = subject.host_config.ipc_mode;
    if (ipc == "shareable" || ipc == "host") host.ipc_mode = ipc == "host" ? ipc : there;
    if (subject.host_config.uts_mode == "host") host.uts_mode = "host";
    host.userns_mode = subject.host_config.userns_mode;
    // What a look at another process's root takes.
    host.cap_add = spec::api::StringList{"SYS_PTRACE"};
    host.security_opt = spec::api::StringList{"apparmor=unconfined"};
    return out;
  }

  /// Puts /target into the helper: a link into the container that runs, a copy of one that does not.
  static Result<> show_files(Cli& cli, client::Client& client, const ContainerInspect& subject,
                             const std::string& helper) {
    client::ContainerFiles files{client};
    codec::TarEntry entry{.path = std::string{kTarget}, .mode = 0755, .link_target = {}, .xattrs = {}};
    if (subject.state.running) {
      const std::string& mode = subject.host_config.pid_mode;
      if (mode.starts_with("container:")) {
        // Its number in a namespace that another container made is known to nobody here.
        cli.err().line("/target is not there: the container shares the processes of another one.");
        return {};
      }
      const std::int64_t pid = mode == "host" ? subject.state.pid : 1;
      entry.type = codec::TarType::Symlink;
      entry.mode = 0777;
      entry.link_target = fmt::format("/proc/{}/root", pid);
      return put(files, helper, entry);
    }
    entry.type = codec::TarType::Directory;
    TRY(put(files, helper, entry));
    cli.err().line("The container does not run: /target is a copy of its files.");
    const auto archive = TRY(files.archive(subject.id, "/."));
    return files.extract(helper, "/target", false, *archive.tar);
  }

  static Result<> put(client::ContainerFiles& files, const std::string& helper, const codec::TarEntry& entry) {
    base::StringSink text;
    codec::TarWriter tar{text};
    TRY(tar.add(entry));
    TRY(tar.finish());
    base::StringSource source{text.text};
    return files.extract(helper, "/", false, source);
  }

  std::string image_ = "busybox", user_, detach_keys_;
  bool privileged_ = false;
};

}  // namespace

std::unique_ptr<Command> make_debug() { return std::make_unique<Debug>(); }

}  // namespace cli
