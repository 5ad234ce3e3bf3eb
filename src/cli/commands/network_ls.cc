#include <algorithm>
#include <array>

#include "base/time.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/human.h"
#include "cli/format/natural_order.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

struct Line {
  const Json& network;
  bool truncates;

  [[nodiscard]] const std::string& text(std::string_view name) const { return network[name].as_string(); }
  [[nodiscard]] std::string label(std::string_view name) const { return network["Labels"][name].as_string(); }
};

std::string yes_or_no(const Line& line, std::string_view name) {
  return line.network[name].as_bool() ? "true" : "false";
}

std::string created_at(const Line& line) {
  const auto time = base::parse_rfc3339(line.text("Created"));
  if (!time) return {};
  const auto nanoseconds = time->time_since_epoch().count();
  return local_time(nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000);
}

std::string labels(const Line& line) {
  spec::api::Labels out;
  for (const auto& [name, value] : line.network["Labels"].as_object()) out[name] = value.as_string();
  return label_list(out);
}

constexpr std::array kColumns{
    Column<Line>{"CreatedAt", "CREATED AT", created_at},
    Column<Line>{"Driver", "DRIVER", [](const Line& l) { return l.text("Driver"); }},
    Column<Line>{"ID", "NETWORK ID",
                 [](const Line& l) { return l.truncates ? short_id(l.text("Id")) : l.text("Id"); }},
    Column<Line>{"IPv4", "IPV4", [](const Line& l) { return yes_or_no(l, "EnableIPv4"); }},
    Column<Line>{"IPv6", "IPV6", [](const Line& l) { return yes_or_no(l, "EnableIPv6"); }},
    Column<Line>{"Internal", "INTERNAL", [](const Line& l) { return yes_or_no(l, "Internal"); }},
    Column<Line>{"Labels", "LABELS", labels},
    Column<Line>{"Name", "NAME", [](const Line& l) { return l.text("Name"); }},
    Column<Line>{"Scope", "SCOPE", [](const Line& l) { return l.text("Scope"); }},
};

constexpr ListingStyle kStyle{
    .table = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    .raw = "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
    .quiet = "{{.ID}}",
    .type = "*network.networkContext"};

class NetworkLs final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("filter", flags::custom<add_filter>(filters_, "filter"));
    flags("format", format_);
    flags("no-trunc", whole_);
    flags("quiet", quiet_);
  }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    client::Client& client = *TRY(cli.client());
    client::ApiCall call{.path = "/networks"};
    if (!filters_.empty()) call.query.add("filters", client::encode_filters(filters_));
    const Json answer = TRY(client.json(call));
    std::vector<Line> lines;
    for (const auto& network : answer.as_array()) lines.push_back({network, !whole_});
    std::vector<std::size_t> order(lines.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
      return natural_less(lines[a].text("Name"), lines[b].text("Name"));
    });
    std::vector<Line> sorted;
    for (const auto i : order) sorted.push_back(lines[i]);
    const auto format =
        resolve_format(format_or_config(cli, format_, "networksFormat", quiet_), kStyle, quiet_);
    TRY(print_items<Line>(cli.out(), format, kStyle, kColumns, sorted));
    return 0;
  }

 private:
  client::Filters filters_;
  std::string format_;
  bool whole_ = false, quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_network_ls() { return std::make_unique<NetworkLs>(); }

}  // namespace cli
