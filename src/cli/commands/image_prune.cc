#include "cli/commands/all.h"
#include "cli/commands/common.h"

namespace cli {

namespace {

constexpr std::string_view kDanglingQuestion =
    "WARNING! This will remove all dangling images.\nAre you sure you want to continue?";
constexpr std::string_view kAllQuestion =
    "WARNING! This will remove all images without at least one container associated to them.\n"
    "Are you sure you want to continue?";

class ImagePrune final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    options_.bind(flags);
    flags("all", all_);
  }

  base::Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    if (!options_.force && !confirm(cli, all_ ? kAllQuestion : kDanglingQuestion)) return 0;
    options_.filters["dangling"] = {all_ ? "false" : "true"};
    client::Client& client = *TRY(cli.client());
    const auto report = TRY(prune(cli, client, "/images/prune", options_.filters));
    print_deleted(cli, "Deleted Images:", deleted_image_lines(report));
    print_reclaimed(cli, report["SpaceReclaimed"].as_int());
    return 0;
  }

 private:
  PruneOptions options_;
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> make_image_prune() { return std::make_unique<ImagePrune>(); }

}  // namespace cli
