#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/stream/container_session.h"
#include "sys/pty.h"

namespace cli {

using base::Result;

namespace {

class Start final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("attach", attach_);
    flags("checkpoint", checkpoint_);
    flags("checkpoint-dir", checkpoint_dir_);
    flags("detach-keys", detach_keys_);
    flags("interactive", interactive_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    if (!attach_ && !interactive_) return all(cli, client, invocation.arguments);
    if (invocation.arguments.size() > 1) {
      return base::invalid("you cannot start and attach multiple containers at once");
    }
    const auto container = TRY(client::Containers{client}.inspect(invocation.arguments[0]));
    const SessionOptions options{.id = container.id,
                                 .tty = container.config.tty,
                                 .in = interactive_ && container.config.open_stdin,
                                 .auto_remove = container.host_config.auto_remove,
                                 .detach_keys = detach_keys_};
    if (options.tty && options.in && !sys::is_terminal(0))
      return base::invalid("the input device is not a TTY");
    return run_session(cli, client, options, [&]() -> Result<> { return start(client, container.id); });
  }

 private:
  Result<> start(client::Client& client, const std::string& name) {
    if (checkpoint_.empty()) return client::Containers{client}.start(name);
    client::ApiCall call{.method = "POST", .path = "/containers/" + http::encode_segment(name) + "/start"};
    call.query.add("checkpoint", checkpoint_);
    if (!checkpoint_dir_.empty()) call.query.add("checkpoint-dir", checkpoint_dir_);
    return client.done(call);
  }

  Result<int> all(Cli& cli, client::Client& client, const std::vector<std::string>& names) {
    std::vector<std::string> failed;
    for (const auto& name : names) {
      if (const auto done = start(client, name)) {
        cli.out().line("{}", name);
      } else {
        cli.err().line("{}", done.error().message());
        failed.push_back(name);
      }
    }
    if (failed.empty()) return 0;
    return base::internal("Error: failed to start containers: " + base::join(failed, ", "));
  }

  bool attach_ = false, interactive_ = false;
  std::string checkpoint_, checkpoint_dir_, detach_keys_;
};

}  // namespace

std::unique_ptr<Command> make_start() { return std::make_unique<Start>(); }

}  // namespace cli
