#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/stream/exit_status.h"

namespace cli {

namespace {

class Wait final : public Command {
 public:
  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    int status = 0;
    for (const auto& name : invocation.arguments) {
      const auto response = wait_for_exit(cli, client, name);
      if (response) {
        cli.out().line("{}", response->status_code);
      } else {
        cli.err().line("{}", response.error().message());
        status = 1;
      }
    }
    return status;
  }
};

}  // namespace

std::unique_ptr<Command> make_wait() { return std::make_unique<Wait>(); }

}  // namespace cli
