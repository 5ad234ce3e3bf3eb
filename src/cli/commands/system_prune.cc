#include <algorithm>

#include <fmt/format.h>

#include "cli/commands/all.h"
#include "cli/commands/common.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

class SystemPrune final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    options_.bind(flags);
    flags("all", all_);
    flags("volumes", volumes_);
  }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    if (volumes_ && options_.filters.contains("until")) {
      return base::invalid("ERROR: The \"until\" filter is not supported with \"--volumes\"");
    }
    if (!options_.force && !confirm(cli, question())) return 0;
    client::Client& client = *TRY(cli.client());
    const auto part = [&](const char* path, client::Filters filters, std::string_view heading,
                          std::string_view names) -> Result<> {
      filters.insert(options_.filters.begin(), options_.filters.end());
      const Json report = TRY(prune(cli, client, path, filters));
      const bool of_images = names == "ImagesDeleted";
      print_deleted(cli, heading, of_images ? deleted_image_lines(report) : report[names]);
      reclaimed_ += report["SpaceReclaimed"].as_int();
      return {};
    };
    TRY(part("/containers/prune", {}, "Deleted Containers:", "ContainersDeleted"));
    TRY(part("/networks/prune", {}, "Deleted Networks:", "NetworksDeleted"));
    if (volumes_) TRY(part("/volumes/prune", {}, "Deleted Volumes:", "VolumesDeleted"));
    TRY(part("/images/prune", {{"dangling", {all_ ? "false" : "true"}}}, "Deleted Images:", "ImagesDeleted"));
    TRY(prune_build_cache(cli, client));
    print_reclaimed(cli, reclaimed_);
    return 0;
  }

 private:
  [[nodiscard]] std::string question() const {
    std::string out =
        "WARNING! This will remove:\n"
        "  - all stopped containers\n"
        "  - all networks not used by at least one container\n";
    if (volumes_) out += "  - all anonymous volumes not used by at least one container\n";
    out += all_ ? "  - all images without at least one container associated to them\n  - all build cache\n"
                : "  - all dangling images\n  - unused build cache\n";
    if (!options_.filters.empty()) {
      out += "\n  Items to be pruned will be filtered with:\n";
      std::vector<std::string> lines;
      for (const auto& [name, values] : options_.filters) {
        for (const auto& value : values) lines.push_back(fmt::format("  - {}={}\n", name, value));
      }
      std::ranges::sort(lines);
      for (const auto& line : lines) out += line;
    }
    return out + "\nAre you sure you want to continue?";
  }

  Result<> prune_build_cache(Cli& cli, client::Client& client) {
    client::ApiCall call{.method = "POST", .path = "/build/prune"};
    if (all_) call.query.add("all", "1");
    call.query.add("filters", client::encode_filters(options_.filters));
    const auto report = client.json(call);
    // A daemon that does not build has no cache.
    if (report.failed_as(base::ErrorKind::NotFound) || report.failed_as(base::ErrorKind::NotImplemented)) return {};
    if (!report) return report.error();
    print_deleted(cli, "Deleted build cache objects:", (*report)["CachesDeleted"]);
    reclaimed_ += (*report)["SpaceReclaimed"].as_int();
    return {};
  }

  PruneOptions options_;
  bool all_ = false, volumes_ = false;
  std::int64_t reclaimed_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_system_prune() { return std::make_unique<SystemPrune>(); }

}  // namespace cli
