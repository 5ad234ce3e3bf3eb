#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "client/containers.h"

namespace cli {

namespace {

class Rename final : public Command {
 public:
  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& names = invocation.arguments;
    if (base::trim(names[0]).empty() || base::trim(names[1]).empty()) {
      return base::invalid("Error: Neither old nor new names may be empty");
    }
    client::Client& client = *TRY(cli.client());
    if (const auto done = client::Containers{client}.rename(names[0], names[1]); !done) {
      cli.err().line("{}", done.error().message());
      return base::internal("Error: failed to rename container named " + names[0]);
    }
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_rename() { return std::make_unique<Rename>(); }

}  // namespace cli
