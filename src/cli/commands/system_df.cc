#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/human.h"
#include "cli/format/tab_writer.h"
#include "client/client.h"
#include "flags/units.h"
#include "spec/engine/disk.h"
#include "spec/engine/image.h"
#include "spec/reference.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

std::string size_text(std::int64_t bytes, int digits = 4) {
  return flags::human_size(static_cast<double>(bytes), digits);
}

bool is_active(const spec::api::ContainerSummary& container) {
  return container.state == "running" || container.state == "paused" || container.state == "restarting";
}

struct Volume {
  std::string name;
  std::int64_t links = 0, size = 0;
};

struct Usage {
  std::int64_t layers = 0, build_cache = 0;
  std::optional<spec::api::DiskSpace> disk;  ///< of this engine's daemon only
  std::vector<spec::api::ImageSummary> images;
  std::vector<spec::api::ContainerSummary> containers;
  std::vector<Volume> volumes;
};

template <class T>
Result<std::vector<T>> list_of(const Json& json) {
  if (json.is_null()) return std::vector<T>{};
  return codec::from_json<std::vector<T>>(json);
}

Result<Usage> ask(client::Client& client) {
  const Json answer = TRY(client.json({.path = "/system/df"}));
  Usage usage;
  usage.layers = answer["LayersSize"].as_int();
  if (answer["Disk"].is_object()) usage.disk = TRY(codec::from_json<spec::api::DiskSpace>(answer["Disk"]));
  usage.images = TRY(list_of<spec::api::ImageSummary>(answer["Images"]));
  usage.containers = TRY(list_of<spec::api::ContainerSummary>(answer["Containers"]));
  if (answer["Volumes"].is_array()) {
    for (const Json& volume : answer["Volumes"].as_array()) {
      const Json& data = volume["UsageData"];
      usage.volumes.push_back({volume["Name"].as_string(), data["RefCount"].as_int(), data["Size"].as_int()});
    }
  }
  if (answer["BuildCache"].is_array()) {
    for (const Json& record : answer["BuildCache"].as_array()) usage.build_cache += record["Size"].as_int();
  }
  return usage;
}

// -- the summary: one line per kind ------------------------------------------------------------------

struct Summary {
  std::string type;
  std::size_t total = 0;
  std::int64_t active = 0, size = 0, reclaimable = 0;
  bool with_share = true;
};

std::string reclaimable(const Summary& line) {
  if (line.size <= 0 || !line.with_share) return size_text(line.reclaimable);
  return fmt::format("{} ({}%)", size_text(line.reclaimable), line.reclaimable * 100 / line.size);
}

constexpr std::array kSummaryColumns{
    Column<Summary>{"Active", "ACTIVE", [](const Summary& l) { return fmt::to_string(l.active); }},
    Column<Summary>{"Reclaimable", "RECLAIMABLE", reclaimable},
    Column<Summary>{"Size", "SIZE", [](const Summary& l) { return size_text(l.size); }},
    Column<Summary>{"TotalCount", "TOTAL", [](const Summary& l) { return fmt::to_string(l.total); }},
    Column<Summary>{"Type", "TYPE", [](const Summary& l) { return l.type; }},
};
constexpr std::string_view kSummaryTable = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";

std::vector<Summary> summarize(const Usage& usage) {
  Summary images{.type = "Images", .total = usage.images.size(), .size = usage.layers, .reclaimable = usage.layers};
  for (const auto& image : usage.images) {
    if (image.containers > 0) ++images.active;
    if (image.containers != 0 && image.size != -1 && image.shared_size != -1) {
      images.reclaimable -= image.size - image.shared_size;
    }
  }
  Summary containers{.type = "Containers", .total = usage.containers.size()};
  for (const auto& container : usage.containers) {
    containers.size += container.size_rw.value_or(0);
    if (is_active(container)) {
      ++containers.active;
    } else {
      containers.reclaimable += container.size_rw.value_or(0);
    }
  }
  Summary volumes{.type = "Local Volumes", .total = usage.volumes.size()};
  for (const auto& volume : usage.volumes) {
    if (volume.links > 0) ++volumes.active;
    if (volume.size == -1) continue;
    volumes.size += volume.size;
    if (volume.links == 0) volumes.reclaimable += volume.size;
  }
  const Summary cache{.type = "Build Cache", .size = usage.build_cache, .reclaimable = usage.build_cache, .with_share = false};
  return {images, containers, volumes, cache};
}

// -- everything by name ------------------------------------------------------------------------------

struct ImageLine {
  const spec::api::ImageSummary& image;
  std::string repository = "<none>", tag = "<none>";
};

std::string unique_size(const ImageLine& line) {
  if (line.image.size < 0 || line.image.shared_size < 0) return "N/A";
  return size_text(line.image.size - line.image.shared_size);
}

constexpr std::array kImageColumns{
    Column<ImageLine>{"Containers", "CONTAINERS",
                      [](const ImageLine& l) { return l.image.containers < 0 ? std::string{"N/A"} : fmt::to_string(l.image.containers); }},
    Column<ImageLine>{"CreatedSince", "CREATED", [](const ImageLine& l) { return ago(l.image.created); }},
    Column<ImageLine>{"ID", "IMAGE ID", [](const ImageLine& l) { return short_id(l.image.id); }},
    Column<ImageLine>{"Repository", "REPOSITORY", [](const ImageLine& l) { return l.repository; }},
    Column<ImageLine>{"SharedSize", "SHARED SIZE", 
                      [](const ImageLine& l) { return l.image.shared_size < 0 ? std::string{"N/A"} : size_text(l.image.shared_size); }},
    Column<ImageLine>{"Size", "SIZE", [](const ImageLine& l) { return size_text(l.image.size, 3); }},
    Column<ImageLine>{"Tag", "TAG", [](const ImageLine& l) { return l.tag; }},
    Column<ImageLine>{"UniqueSize", "UNIQUE SIZE", unique_size},
};
constexpr std::string_view kImageTable =
    "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}";

using Container = spec::api::ContainerSummary;

std::string command(const Container& container) {
  constexpr std::size_t kWidth = 20;
  return base::quoted(ellipsis(container.command, kWidth));
}

std::string names(const Container& container) {
  std::string out;
  for (const std::string& name : container.names) {
    if (name.find('/', 1) != std::string::npos) continue;  // a link's
    out.append(out.empty() ? "" : ",").append(name.substr(name.starts_with('/') ? 1 : 0));
  }
  return out;
}

std::string image(const Container& container) {
  const std::string brief = short_id(container.image_id);
  if (!brief.empty() && brief == short_id(container.image)) return brief;
  const auto reference = spec::Reference::parse(container.image);
  // A digest beside a name is more than a table wants.
  if (!reference || reference->digest().empty()) return container.image;
  return reference->familiar_name() + (reference->tag().empty() ? "" : ":" + reference->tag());
}

constexpr std::array kContainerColumns{
    Column<Container>{"Command", "COMMAND", command},
    Column<Container>{"ID", "CONTAINER ID", [](const Container& c) { return short_id(c.id); }},
    Column<Container>{"Image", "IMAGE", image},
    Column<Container>{"LocalVolumes", "LOCAL VOLUMES",
                      [](const Container& c) { return fmt::to_string(std::ranges::count(c.mounts, "local", &spec::api::MountPoint::driver)); }},
    Column<Container>{"Names", "NAMES", names},
    Column<Container>{"RunningFor", "CREATED", [](const Container& c) { return ago(c.created); }},
    Column<Container>{"Size", "SIZE", [](const Container& c) { return size_text(c.size_rw.value_or(0), 3); }},
    Column<Container>{"Status", "STATUS", [](const Container& c) { return c.status; }},
};
constexpr std::string_view kContainerTable =
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}";

constexpr std::array kVolumeColumns{
    Column<Volume>{"Links", "LINKS", [](const Volume& v) { return fmt::to_string(v.links); }},
    Column<Volume>{"Name", "VOLUME NAME", [](const Volume& v) { return v.name; }},
    Column<Volume>{"Size", "SIZE", [](const Volume& v) { return size_text(v.size); }},
};
constexpr std::string_view kVolumeTable = "{{.Name}}\t{{.Links}}\t{{.Size}}";
constexpr std::string_view kCacheHeadings = "CACHE ID\tCACHE TYPE\tSIZE\tCREATED\tLAST USED\tUSAGE\tSHARED\n";

std::vector<ImageLine> image_lines(const std::vector<spec::api::ImageSummary>& images) {
  std::vector<ImageLine> lines;
  for (const auto& summary : images) {
    ImageLine line{.image = summary};
    if (!summary.repo_tags.empty()) {
      if (const auto name = spec::Reference::parse(summary.repo_tags.front())) {
        line.repository = name->familiar_name();
        line.tag = name->tag();
      }
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

template <class Item, std::size_t count>
Result<std::string> table(std::string_view text, const std::array<Column<Item>, count>& columns,
                          const std::vector<Item>& items) {
  const ListingStyle style{.table = text, .raw = {}, .quiet = text, .type = {}};
  return items_text<Item>(resolve_format("table", style, false), style, columns, items);
}

class SystemDf final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("format", format_);
    flags("verbose", verbose_);
  }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    const Usage usage = TRY(ask(*TRY(cli.client())));
    if (verbose_) {
      if (!format_.empty() && format_ != "table") {
        return base::invalid("the details have no format of their own: leave --format or --verbose out");
      }
      cli.out().write(TRY(details(usage)));
      return 0;
    }
    const ListingStyle style{.table = kSummaryTable, .raw = {}, .quiet = kSummaryTable,
                             .type = "*formatter.diskUsageImagesContext"};
    TRY(print_items<Summary>(cli.out(), resolve_format(format_, style, false), style, kSummaryColumns,
                             summarize(usage)));
    if (format_.empty() && usage.disk && usage.disk->being_removed != 0) {
      cli.out().line("Being removed in the background: {}", size_text(static_cast<std::int64_t>(usage.disk->being_removed)));
    }
    return 0;
  }

 private:
  static Result<std::string> details(const Usage& usage) {
    std::string out = "Images space usage:\n\n";
    out += TRY(table(kImageTable, kImageColumns, image_lines(usage.images)));
    out += "\nContainers space usage:\n\n";
    out += TRY(table(kContainerTable, kContainerColumns, usage.containers));
    out += "\nLocal Volumes space usage:\n\n";
    out += TRY(table(kVolumeTable, kVolumeColumns, usage.volumes));
    out += fmt::format("\nBuild cache usage: {}\n\n", size_text(usage.build_cache));
    out += align_tabs(kCacheHeadings);
    if (usage.disk) out += disk_text(*usage.disk);
    return out;
  }

  static std::string disk_text(const spec::api::DiskSpace& disk) {
    const std::array<std::pair<std::string_view, std::uint64_t>, 9> lines{{
        {"Image blobs", disk.blobs},
        {"Downloads under way", disk.ingests},
        {"Unpacked layers", disk.layers},
        {"Containers' writable layers", disk.writable},
        {"Being removed", disk.being_removed},
        {"Volumes", disk.volumes},
        {"Containers' logs and files", disk.container_files},
        {"Records", disk.records},
        {"Total", disk.total},
    }};
    std::string table = "USE\tON DISK\n";
    for (const auto& [what, bytes] : lines) {
      table += fmt::format("{}\t{}\n", what, size_text(static_cast<std::int64_t>(bytes)));
    }
    return "\nData root on disk:\n\n" + align_tabs(table);
  }

  std::string format_;
  bool verbose_ = false;
};

}  // namespace

std::unique_ptr<Command> make_system_df() { return std::make_unique<SystemDf>(); }

}  // namespace cli
