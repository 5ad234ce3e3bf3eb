#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "cli/stream/daemon_return.h"
#include "cli/stream/foreground.h"
#include "sys/pty.h"

namespace cli {

using base::Result;

namespace {

class ExecProcess final : public ForegroundProcess {
 public:
  ExecProcess(client::Client& client, std::string id) : execs_{client}, id_{std::move(id)} {}
  Result<> resize(unsigned rows, unsigned columns) override { return execs_.resize(id_, rows, columns); }
  Result<> signal(const std::string& /*name*/) override { return {}; }

 private:
  client::Execs execs_;
  std::string id_;
};

class Exec final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("detach", detach_);
    flags("detach-keys", config_.detach_keys);
    flags("env", flags::custom<add_env>(env_, "list"));
    flags("env-file", env_files_);
    flags("interactive", interactive_);
    flags("privileged", config_.privileged);
    flags("tty", config_.tty);
    flags("user", config_.user);
    flags("workdir", config_.working_dir);
  }
  [[nodiscard]] flags::Interspersed interspersed() const override { return flags::Interspersed::No; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& arguments = invocation.arguments;
    client::Client& client = *TRY(cli.client());
    if (auto env = TRY(collect_env(env_files_, env_)); !env.empty()) config_.env = std::move(env);
    if (config_.detach_keys.empty()) config_.detach_keys = cli.config().text("detachKeys");
    config_.cmd.assign(arguments.begin() + 1, arguments.end());
    config_.attach_stdin = interactive_ && !detach_;
    config_.attach_stdout = config_.attach_stderr = !detach_;
    if (config_.attach_stdin && config_.tty && !sys::is_terminal(0)) {
      // That the container is not there is the better thing to know first.
      TRY(client::Containers{client}.inspect_raw(arguments[0]));
      return base::invalid("the input device is not a TTY");
    }
    if (config_.tty && cli.out().is_terminal()) {
      if (const auto size = sys::window_size(cli.out().fd()))
        config_.console_size = {size->rows, size->columns};
    }
    const auto id = TRY(client::Execs{client}.create(arguments[0], config_));
    const spec::api::ExecStartRequest request{
        .detach = detach_, .tty = config_.tty, .console_size = config_.console_size};
    if (detach_) {
      TRY(client::Execs{client}.start_detached(id, request));
      return 0;
    }
    return foreground(cli, client, id, request);
  }

 private:
  Result<int> foreground(Cli& cli, client::Client& client, const std::string& id,
                         const spec::api::ExecStartRequest& request) {
    ExecProcess process{client, id};
    const auto terminal = TRY(Foreground::begin(
        cli, {.tty = config_.tty, .input = config_.attach_stdin, .detach_keys = config_.detach_keys},
        process));
    auto connection = TRY(client::Execs{client}.start(id, request));
    terminal->send_size();
    if (TRY(terminal->stream(std::move(connection))) == Foreground::End::Detached) return 0;
    auto ended = client::Execs{client}.inspect(id);
    if (!ended && client::is_connection_failure(ended.error())) {
      auto absence = TRY(DaemonReturn::watch(cli));
      TRY(absence.wait());
      ended = client::Execs{client}.inspect(id);
    }
    const auto inspected = TRY(std::move(ended));
    return static_cast<int>(inspected.exit_code.value_or(0));
  }

  spec::api::ExecConfig config_;
  std::vector<std::string> env_, env_files_;
  bool detach_ = false, interactive_ = false;
};

}  // namespace

std::unique_ptr<Command> make_exec() { return std::make_unique<Exec>(); }

}  // namespace cli
