#include "cli/commands/all.h"
#include "cli/container/create.h"
#include "cli/stream/container_session.h"
#include "sys/pty.h"

namespace cli {

using base::Result;

namespace {

constexpr int kFailed = 125;
constexpr int kCannotInvoke = 126;
constexpr int kNotFound = 127;

/// What a shell would say of a command that did not start.
int status_of_failure(std::string_view message) {
  const auto has = [&](std::string_view words) { return message.find(words) != std::string_view::npos; };
  if (has("executable file not found") || has("no such file or directory") ||
      has("system cannot find the file specified")) {
    return kNotFound;
  }
  if (has("permission denied") || has("is a directory")) return kCannotInvoke;
  return kFailed;
}

class Run final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    options_.bind(flags);
    create_.bind(flags);
    flags("detach", detach_);
    flags("detach-keys", detach_keys_);
    flags("sig-proxy", proxy_signals_);
  }
  [[nodiscard]] flags::Interspersed interspersed() const override { return flags::Interspersed::No; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto fail = [&](const base::Error& error, int status) {
      cli.err().write(fmt::format("{}: {}\n\nRun '{} --help' for more information\n", cli.program(),
                                  error.message(), invocation.called));
      return status;
    };
    const auto connected = cli.client();
    if (!connected) return fail(connected.error(), kFailed);
    client::Client& client = **connected;
    add_proxies(cli, client, options_.env);
    auto request = prepare(invocation);
    if (!request) return fail(request.error(), kFailed);
    auto& config = request->config;
    if (detach_) {
      if (!options_.attach.empty()) {
        return base::invalid("conflicting options: cannot specify both --attach and --detach");
      }
      config.attach_stdin = config.attach_stdout = config.attach_stderr = config.stdin_once = false;
    } else if (config.attach_stdin && config.tty && !sys::is_terminal(0)) {
      return base::invalid("the input device is not a TTY");
    }
    SessionOptions session{.tty = config.tty,
                           .in = config.attach_stdin,
                           .out = config.attach_stdout,
                           .err = config.attach_stderr,
                           .proxy_signals = proxy_signals_,
                           .auto_remove = options_.auto_remove,
                           .detach_keys = detach_keys_};
    const auto id = create_container(cli, client, create_, options_, std::move(*request));
    if (!id) return fail(id.error(), status_of_failure(id.error().message()));
    session.id = *id;
    // Nobody reads its output here: the id is what a script wants.
    if (!session.out && !session.err) cli.out().line("{}", *id);
    const auto start = [&]() -> Result<> { return client::Containers{client}.start(*id); };
    if (detach_) {
      if (const auto started = start(); !started) {
        return fail(started.error(), status_of_failure(started.error().message()));
      }
      return 0;
    }
    const auto status = run_session(cli, client, session, start);
    if (!status) return fail(status.error(), status_of_failure(status.error().message()));
    return *status;
  }

 private:
  Result<spec::api::CreateContainerRequest> prepare(const Invocation& invocation) {
    TRY(create_.check());
    return options_.request(invocation.arguments);
  }

  ContainerOptions options_;
  CreateFlags create_;
  bool detach_ = false, proxy_signals_ = true;
  std::string detach_keys_;
};

}  // namespace

std::unique_ptr<Command> make_run() { return std::make_unique<Run>(); }

}  // namespace cli
