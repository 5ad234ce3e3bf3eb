#include "cli/commands/all.h"
#include "cli/progress/display.h"
#include "cli/pull.h"

namespace cli {

using base::Result;

namespace {

class Push final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags_.bind(flags); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto reference = TRY(flags_.reference(cli, invocation.arguments[0]));
    client::PushOptions options{
        .reference = reference.name(), .tag = reference.tag(), .platform = flags_.platform, .auth = {}};
    options.auth = TRY(registry_auth(cli, reference));
    client::Client& client = *TRY(cli.client());
    auto stream = TRY(client::Images{client}.push(options));
    if (!flags_.quiet) {
      TRY(show_progress(cli.out(), stream));
      return 0;
    }
    TRY(wait_for_end(stream));
    cli.out().line("{}", reference.str());
    return 0;
  }

 private:
  TransferFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_push() { return std::make_unique<Push>(); }

}  // namespace cli
