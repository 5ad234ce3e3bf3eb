#include "cli/cli.h"
#include "cli/commands/all.h"

namespace cli {

namespace {

class ContextShow final : public Command {
 public:
  [[nodiscard]] bool needs_daemon() const override { return false; }

  base::Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    cli.out().line("{}", cli.context_name());
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_context_show() { return std::make_unique<ContextShow>(); }

}  // namespace cli
