#include "cli/format/image_tree.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/format/human.h"
#include "cli/format/tab_writer.h"
#include "flags/units.h"

namespace cli {
namespace {

constexpr std::size_t kNarrowest = 80;
constexpr std::size_t kId = 12;
constexpr std::size_t kDiskUsage = 10;
constexpr std::size_t kContentSize = 12;
constexpr std::size_t kExtra = 5;
constexpr std::size_t kGap = 3;

/// A line of the table; one without an id is a further name.
struct Row {
  std::string name, id, disk_usage, content_size;
  bool in_use = false;
};

std::string size_text(std::int64_t bytes) { return flags::human_size(static_cast<double>(bytes), 3); }

std::string platform_text(const spec::Platform& platform) {
  std::string text = platform.str();
  return text == "/" ? std::string{"unknown"} : text;
}

std::vector<Row> rows_of(const spec::api::ImageSummary& image) {
  std::vector<Row> children;
  std::int64_t content = 0;
  bool in_use = image.containers > 0;
  for (const auto& manifest : image.manifests.value_or(std::vector<spec::api::ManifestSummary>{})) {
    if (manifest.kind != "image" || !manifest.image) continue;
    const bool used = !manifest.image->containers.empty();
    children.push_back({platform_text(manifest.image->platform), short_id(manifest.id), size_text(manifest.size.total),
                        size_text(manifest.size.content), used});
    content += manifest.size.content;
    in_use = in_use || used;
  }
  std::vector<Row> rows;
  for (const auto& name : image.repo_tags) rows.push_back({.name = name});
  if (rows.empty()) rows.push_back({.name = "<untagged>"});
  rows.back() = {rows.back().name, short_id(image.id), size_text(image.size), size_text(content), in_use};
  for (std::size_t i = 0; i < children.size(); ++i) {
    children[i].name = (i + 1 == children.size() ? "└─ " : "├─ ") + children[i].name;
    rows.push_back(std::move(children[i]));
  }
  return rows;
}

std::string line_of(const Row& row, std::size_t width) {
  std::string name = ellipsis(row.name, width);
  if (row.id.empty()) return name + "\n";
  const std::size_t shown = display_width(name);
  name.append(width > shown ? width - shown : 0, ' ');
  return fmt::format("{}{:{}}{:<{}}{:{}}{:>{}}{:{}}{:>{}}{:{}}{:<{}}\n", name, "", kGap, row.id, kId, "", kGap,
                     row.disk_usage, kDiskUsage, "", kGap, row.content_size, kContentSize, "", kGap,
                     row.in_use ? " U" : "", kExtra);
}

}  // namespace

std::string image_tree(const std::vector<spec::api::ImageSummary>& images, std::size_t columns, bool untagged) {
  constexpr std::size_t kOthers = kId + kDiskUsage + kContentSize + kExtra + 4 * kGap;
  const std::size_t room = std::max(columns, kNarrowest) - kOthers;
  std::vector<std::vector<Row>> groups;
  std::size_t longest = 0;
  // Those without a name stand last.
  for (const bool named : {true, false}) {
    for (const auto& image : images) {
      if (image.repo_tags.empty() == named || (!named && !untagged)) continue;
      groups.push_back(rows_of(image));
      for (const auto& row : groups.back()) longest = std::max(longest, display_width(row.name));
    }
  }
  const std::size_t width = std::min(std::max<std::size_t>(longest, 5), room);
  std::string text = fmt::format("{:>{}}\n\n", "Info ->  U In Use", width + kOthers);
  text += fmt::format("{:<{}}{:<{}}{:<{}}{:<{}}{}\n", "IMAGE", width + kGap, "ID", kId + kGap, "DISK USAGE",
                      kDiskUsage + kGap, "CONTENT SIZE", kContentSize + kGap, "EXTRA");
  for (const auto& group : groups) {
    for (const auto& row : group) text += line_of(row, width);
    text += "\n";
  }
  return text;
}

}  // namespace cli
