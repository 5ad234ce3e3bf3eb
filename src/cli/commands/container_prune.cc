#include "cli/commands/all.h"
#include "cli/commands/common.h"

namespace cli {

namespace {

class ContainerPrune final : public Command {
 public:
  void bind(FlagBinder& flags) override { options_.bind(flags); }

  base::Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    if (!options_.force && !confirm(cli,
                                    "WARNING! This will remove all stopped containers.\n"
                                    "Are you sure you want to continue?")) {
      return 0;
    }
    client::Client& client = *TRY(cli.client());
    const auto report = TRY(prune(cli, client, "/containers/prune", options_.filters));
    print_deleted(cli, "Deleted Containers:", report["ContainersDeleted"]);
    print_reclaimed(cli, report["SpaceReclaimed"].as_int());
    return 0;
  }

 private:
  PruneOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_container_prune() { return std::make_unique<ContainerPrune>(); }

}  // namespace cli
