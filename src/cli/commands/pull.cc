#include "cli/pull.h"

#include "cli/commands/all.h"

namespace cli {

using base::Result;

namespace {

class Pull final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags_.bind(flags); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto reference = TRY(flags_.reference(cli, invocation.arguments[0]));
    client::Client& client = *TRY(cli.client());
    TRY(pull_image(cli, client, {reference, flags_.platform, flags_.quiet}, cli.out()));
    cli.out().line("{}", reference.str());
    return 0;
  }

 private:
  TransferFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_pull() { return std::make_unique<Pull>(); }

}  // namespace cli
