#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "client/containers.h"

namespace cli {

namespace {

class Stop final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags_.bind(flags); }

  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    const client::StopOptions options{flags_.signal, TRY(flags_.seconds())};
    return for_each_name(cli, invocation.arguments, [&](client::Client& client, const std::string& name) {
      return client::Containers{client}.stop(name, options);
    });
  }

 private:
  StopFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_stop() { return std::make_unique<Stop>(); }

}  // namespace cli
