#include "cli/commands/all.h"
#include "cli/commands/common.h"

namespace cli {

namespace {

class NetworkPrune final : public Command {
 public:
  void bind(FlagBinder& flags) override { options_.bind(flags); }

  base::Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    if (!options_.force && !confirm(cli,
                                    "WARNING! This will remove all custom networks not used by at least one container.\n"
                                    "Are you sure you want to continue?")) {
      return 0;
    }
    client::Client& client = *TRY(cli.client());
    const auto report = TRY(prune(cli, client, "/networks/prune", options_.filters));
    print_deleted(cli, "Deleted Networks:", report["NetworksDeleted"]);
    return 0;
  }

 private:
  PruneOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_network_prune() { return std::make_unique<NetworkPrune>(); }

}  // namespace cli
