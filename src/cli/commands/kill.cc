#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "client/containers.h"

namespace cli {

namespace {

class Kill final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("signal", signal_); }

  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    return for_each_name(cli, invocation.arguments, [&](client::Client& client, const std::string& name) {
      return client::Containers{client}.kill(name, signal_);
    });
  }

 private:
  std::string signal_;
};

}  // namespace

std::unique_ptr<Command> make_kill() { return std::make_unique<Kill>(); }

}  // namespace cli
