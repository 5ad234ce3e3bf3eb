#include "cli/commands/all.h"
#include "cli/stream/container_session.h"
#include "sys/pty.h"

namespace cli {

using base::Result;

namespace {

class Attach final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("detach-keys", options_.detach_keys);
    flags("no-stdin", no_stdin_);
    flags("sig-proxy", options_.proxy_signals);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    const auto container = TRY(client::Containers{client}.inspect(invocation.arguments[0]));
    if (!container.state.running) {
      return base::conflict("You cannot attach to a stopped container, start it first");
    }
    if (container.state.paused) {
      return base::conflict("You cannot attach to a paused container, unpause it first");
    }
    if (container.state.restarting) {
      return base::conflict("You cannot attach to a restarting container, wait until it is running");
    }
    options_.id = container.id;
    options_.running = true;
    options_.tty = container.config.tty;
    options_.in = !no_stdin_ && container.config.open_stdin;
    options_.auto_remove = container.host_config.auto_remove;
    if (options_.tty && !no_stdin_ && !sys::is_terminal(0))
      return base::invalid("the input device is not a TTY");
    return run_session(cli, client, options_, []() -> Result<> { return {}; });
  }

 private:
  SessionOptions options_;
  bool no_stdin_ = false;
};

}  // namespace

std::unique_ptr<Command> make_attach() { return std::make_unique<Attach>(); }

}  // namespace cli
