#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "client/containers.h"

namespace cli {

namespace {

class Pause final : public Command {
 public:
  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    return for_each_name(cli, invocation.arguments, [](client::Client& client, const std::string& name) {
      return client::Containers{client}.pause(name);
    });
  }
};

}  // namespace

std::unique_ptr<Command> make_pause() { return std::make_unique<Pause>(); }

}  // namespace cli
