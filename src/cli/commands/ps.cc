#include <algorithm>
#include <array>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/human.h"
#include "cli/format/tab_writer.h"
#include "client/containers.h"
#include "flags/units.h"
#include "spec/reference.h"

namespace cli {

using base::Result;

namespace {

struct Line {
  const spec::api::ContainerSummary& container;
  bool truncates;

  [[nodiscard]] std::string label(std::string_view name) const {
    const auto at = container.labels.find(std::string{name});
    return at == container.labels.end() ? std::string{} : at->second;
  }
};

std::string command(const Line& line) {
  constexpr std::size_t kWidth = 20;
  const auto& text = line.container.command;
  return base::quoted(line.truncates ? ellipsis(text, kWidth) : text);
}

std::string id(const Line& line) { return line.truncates ? short_id(line.container.id) : line.container.id; }

std::string image(const Line& line) {
  const auto& container = line.container;
  if (container.image.empty()) return "<no image>";
  if (!line.truncates) return container.image;
  const std::string brief = short_id(container.image_id);
  if (!brief.empty() && brief == short_id(container.image)) return brief;
  const auto reference = spec::Reference::parse(container.image);
  // A digest beside a name is more than a table wants.
  if (reference && !reference->digest().empty()) {
    const auto& tag = reference->tag();
    return reference->familiar_name() + (tag.empty() ? "" : ":" + tag);
  }
  return container.image;
}

std::string mounts(const Line& line) {
  constexpr std::size_t kWidth = 15;
  std::string out;
  for (const auto& mount : line.container.mounts) {
    if (!out.empty()) out += ',';
    const auto& name = mount.name.empty() ? mount.source : mount.name;
    out += line.truncates ? ellipsis(name, kWidth) : name;
  }
  return out;
}

std::string names(const Line& line) {
  std::string out;
  for (std::string_view name : line.container.names) {
    if (name.starts_with('/')) name.remove_prefix(1);
    // A name with a slash is a link's.
    if (line.truncates && name.find('/') != std::string_view::npos) continue;
    if (!out.empty()) out += ',';
    out += name;
  }
  return out;
}

std::string networks(const Line& line) {
  std::string out;
  for (const auto& [name, endpoint] : line.container.network_settings.networks) {
    if (!out.empty()) out += ',';
    out += name;
  }
  return out;
}

std::string size(const Line& line) {
  const auto human = [](std::int64_t bytes) { return flags::human_size(static_cast<double>(bytes), 3); };
  const auto& container = line.container;
  std::string out = human(container.size_rw.value_or(0));
  const auto whole = container.size_root_fs.value_or(0);
  return whole > 0 ? out + " (virtual " + human(whole) + ")" : out;
}

std::string health(const Line& line) {
  for (const std::string_view state : {"health: starting", "unhealthy", "healthy"}) {
    if (line.container.status.ends_with("(" + std::string{state} + ")")) {
      return std::string{state.substr(state.find(' ') == std::string_view::npos ? 0 : state.find(' ') + 1)};
    }
  }
  return {};
}

std::string local_volumes(const Line& line) {
  return fmt::to_string(std::ranges::count(line.container.mounts, "local", &spec::api::MountPoint::driver));
}

constexpr std::array kColumns{
    Column<Line>{"Command", "COMMAND", command},
    Column<Line>{"CreatedAt", "CREATED AT", [](const Line& l) { return local_time(l.container.created); }},
    Column<Line>{"HealthStatus", "HEALTH STATUS", health},
    Column<Line>{"ID", "CONTAINER ID", id},
    Column<Line>{"Image", "IMAGE", image},
    Column<Line>{"Labels", "LABELS", [](const Line& l) { return label_list(l.container.labels); }},
    Column<Line>{"LocalVolumes", "LOCAL VOLUMES", local_volumes},
    Column<Line>{"Mounts", "MOUNTS", mounts},
    Column<Line>{"Names", "NAMES", names},
    Column<Line>{"Networks", "NETWORKS", networks},
    Column<Line>{"Ports", "PORTS", [](const Line& l) { return port_list(l.container.ports); }},
    Column<Line>{"RunningFor", "CREATED", [](const Line& l) { return ago(l.container.created); }},
    Column<Line>{"Size", "SIZE", size},
    Column<Line>{"State", "STATE", [](const Line& l) { return l.container.state; }},
    Column<Line>{"Status", "STATUS", [](const Line& l) { return l.container.status; }},
};

constexpr std::string_view kTable =
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
constexpr std::string_view kTableWithSize =
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{.Size}}";
constexpr std::string_view kRaw =
    "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n"
    "state: {{- if .State}} {{.State}}{{end}}\nstatus: {{- if .Status}} {{.Status}}{{end}}\n"
    "names: {{.Names}}\nlabels: {{- if .Labels}} {{.Labels}}{{end}}\n"
    "ports: {{- if .Ports}} {{.Ports}}{{end}}\n";

class Ps final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("all", options_.all);
    flags("filter", flags::custom<add_filter>(options_.filters, "filter"));
    flags("format", format_);
    flags("last", last_);
    flags("latest", latest_);
    flags("no-trunc", whole_);
    flags("quiet", quiet_);
    flags("size", options_.size);
  }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    client::Client& client = *TRY(cli.client());
    const ListingStyle style{.table = options_.size ? kTableWithSize : kTable,
                             .raw = kRaw,
                             .quiet = "{{.ID}}",
                             .type = "*formatter.ContainerContext"};
    const auto format = resolve_format(format_or_config(cli, format_, "psFormat", quiet_), style, quiet_);
    options_.limit = latest_ && last_ == -1 ? 1 : std::max<std::int64_t>(last_, 0);
    // Sizes cost the daemon a walk through the file systems: only on demand.
    if (format.text.find(".Size") != std::string::npos) options_.size = true;
    const auto containers = TRY(client::Containers{client}.list(options_));
    std::vector<Line> lines;
    lines.reserve(containers.size());
    for (const auto& container : containers) lines.push_back({container, !whole_});
    TRY(print_items<Line>(cli.out(), format, style, kColumns, lines));
    return 0;
  }

 private:
  client::ListOptions options_;
  std::string format_;
  std::int64_t last_ = -1;
  bool latest_ = false, whole_ = false, quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ps() { return std::make_unique<Ps>(); }

}  // namespace cli
