#include "cli/commands/all.h"
#include "cli/commands/common.h"

namespace cli {

namespace {

constexpr std::string_view kAnonymousQuestion =
    "WARNING! This will remove anonymous local volumes not used by at least one container.\n"
    "Are you sure you want to continue?";
constexpr std::string_view kAllQuestion =
    "WARNING! This will remove all local volumes not used by at least one container.\n"
    "Are you sure you want to continue?";

class VolumePrune final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    options_.bind(flags);
    flags("all", all_);
  }

  base::Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    if (all_ && options_.filters.contains("all")) {
      return base::invalid("conflicting options: cannot specify both --all and --filter all=1");
    }
    if (!options_.force && !confirm(cli, all_ ? kAllQuestion : kAnonymousQuestion)) return 0;
    if (all_) options_.filters["all"] = {"true"};
    client::Client& client = *TRY(cli.client());
    const auto report = TRY(prune(cli, client, "/volumes/prune", options_.filters));
    print_deleted(cli, "Deleted Volumes:", report["VolumesDeleted"]);
    print_reclaimed(cli, report["SpaceReclaimed"].as_int());
    return 0;
  }

 private:
  PruneOptions options_;
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> make_volume_prune() { return std::make_unique<VolumePrune>(); }

}  // namespace cli
