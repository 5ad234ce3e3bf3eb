#include <array>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "client/container_files.h"

namespace cli {

namespace {

class Diff final : public Command {
 public:
  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    constexpr std::array letters{'C', 'A', 'D'};
    if (invocation.arguments[0].empty()) return base::invalid("Container name cannot be empty");
    for (const auto& change : TRY(client::ContainerFiles{*TRY(cli.client())}.changes(invocation.arguments[0]))) {
      cli.out().line("{} {}", change.kind < letters.size() ? letters[change.kind] : '?', change.path);
    }
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_diff() { return std::make_unique<Diff>(); }

}  // namespace cli
