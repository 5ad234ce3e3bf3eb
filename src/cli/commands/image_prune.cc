#include <chrono>

#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "flags/units.h"

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
    flags("dry-run", dry_run_);
    flags("keep-last", flags::value(keep_last_));
    flags("unused-for", flags::value(unused_for_));
  }

  base::Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    auto& filters = options_.filters;
    if (keep_last_ != 0) filters["keep-last"] = {std::to_string(keep_last_)};
    if (unused_for_ != std::chrono::nanoseconds{0}) {
      filters["unused-for"] = {std::to_string(std::chrono::ceil<std::chrono::seconds>(unused_for_).count()) + "s"};
    }
    // Only images with a name stand in a repository.
    const bool all = all_ || filters.contains("keep-last");
    if (!options_.force && !dry_run_ && !confirm(cli, all ? kAllQuestion : kDanglingQuestion)) return 0;
    filters["dangling"] = {all ? "false" : "true"};
    client::Client& client = *TRY(cli.client());
    const auto report = TRY(prune(cli, client, "/images/prune", filters, dry_run_));
    print_deleted(cli, dry_run_ ? "Would delete images:" : "Deleted Images:", deleted_image_lines(report));
    if (dry_run_) {
      cli.out().line("Total space that would be reclaimed: {}",
                     flags::human_size(static_cast<double>(report["SpaceReclaimed"].as_int())));
      return 0;
    }
    print_reclaimed(cli, report["SpaceReclaimed"].as_int());
    return 0;
  }

 private:
  PruneOptions options_;
  bool all_ = false, dry_run_ = false;
  std::uint64_t keep_last_ = 0;
  std::chrono::nanoseconds unused_for_{0};
};

}  // namespace

std::unique_ptr<Command> make_image_prune() { return std::make_unique<ImagePrune>(); }

}  // namespace cli
