#include <algorithm>
#include <array>

#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/human.h"
#include "cli/format/natural_order.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

struct Line {
  const Json* volume;

  [[nodiscard]] const std::string& text(std::string_view name) const { return (*volume)[name].as_string(); }
  [[nodiscard]] std::string label(std::string_view name) const {
    return (*volume)["Labels"][name].as_string();
  }
};

std::string labels(const Line& line) {
  spec::api::Labels out;
  for (const auto& [name, value] : (*line.volume)["Labels"].as_object()) out[name] = value.as_string();
  return label_list(out);
}

/// Of cluster volumes, or known to `system df` only.
std::string not_available(const Line& /*line*/) { return "N/A"; }

constexpr std::array kColumns{
    Column<Line>{"Availability", "AVAILABILITY", not_available},
    Column<Line>{"Driver", "DRIVER", [](const Line& l) { return l.text("Driver"); }},
    Column<Line>{"Group", "GROUP", not_available},
    Column<Line>{"Labels", "LABELS", labels},
    Column<Line>{"Links", "LINKS", not_available},
    Column<Line>{"Mountpoint", "MOUNTPOINT", [](const Line& l) { return l.text("Mountpoint"); }},
    Column<Line>{"Name", "VOLUME NAME", [](const Line& l) { return l.text("Name"); }},
    Column<Line>{"Scope", "SCOPE", [](const Line& l) { return l.text("Scope"); }},
    Column<Line>{"Size", "SIZE", not_available},
    Column<Line>{"Status", "STATUS", not_available},
};

constexpr ListingStyle kStyle{.table = "{{.Driver}}\t{{.Name}}",
                              .raw = "name: {{.Name}}\ndriver: {{.Driver}}\n",
                              .quiet = "{{.Name}}",
                              .type = "*formatter.volumeContext"};

class VolumeLs final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("cluster", cluster_);
    flags("filter", flags::custom<add_filter>(filters_, "filter"));
    flags("format", format_);
    flags("quiet", quiet_);
  }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    client::Client& client = *TRY(cli.client());
    client::ApiCall call{.path = "/volumes"};
    if (!filters_.empty()) call.query.add("filters", client::encode_filters(filters_));
    const Json answer = TRY(client.json(call));
    std::vector<Line> lines;
    for (const auto& volume : answer["Volumes"].as_array()) {
      // Only a swarm has cluster volumes, and there every one has this part.
      if (!cluster_ || !volume["ClusterVolume"].is_null()) lines.push_back({&volume});
    }
    std::ranges::sort(
        lines, [](const Line& a, const Line& b) { return natural_less(a.text("Name"), b.text("Name")); });
    const auto format =
        resolve_format(format_or_config(cli, format_, "volumesFormat", quiet_), kStyle, quiet_);
    TRY(print_items<Line>(cli.out(), format, kStyle, kColumns, lines));
    return 0;
  }

 private:
  client::Filters filters_;
  std::string format_;
  bool cluster_ = false, quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_volume_ls() { return std::make_unique<VolumeLs>(); }

}  // namespace cli
