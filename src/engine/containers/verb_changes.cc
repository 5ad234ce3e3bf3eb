#include <algorithm>
#include <ranges>

#include "engine/containers/changes.h"
#include "engine/containers/verbs.h"

namespace engine {

namespace {

constexpr std::string_view kMountPlaces[] = {"/.dockerenv", "/dev",          "/dev/console", "/dev/mqueue",
                                             "/dev/pts",    "/dev/shm",      "/etc/hosts",   "/etc/hostname",
                                             "/etc/mtab",   "/etc/resolv.conf", "/proc",     "/sys"};

bool is_below(const layer::Change& change, std::string_view folder) {
  return change.path.size() > folder.size() && change.path.starts_with(folder) && change.path[folder.size()] == '/';
}

}  // namespace

base::Result<Changes> changes_of(Core& core, const Record& record) {
  Changes found;
  found.all = TRY(layer::list_changes(core.snapshots, record.id));
  const auto drop = [&](std::string_view place, layer::ChangeKind kind) {
    return std::erase_if(found.all, [&](const layer::Change& c) { return c.kind == kind && c.path == place; }) != 0;
  };
  const auto has_more = [&](std::string_view folder) {
    return std::ranges::any_of(found.all, [&](const layer::Change& change) { return is_below(change, folder); });
  };
  // The innermost first: a directory goes when nothing is left in it.
  for (const std::string_view place : std::views::reverse(kMountPlaces)) {
    if (!has_more(place) && drop(place, layer::ChangeKind::Added)) found.mount_places.emplace(place);
  }
  for (const std::string_view folder : {"/etc", "/dev"}) {
    if (!has_more(folder)) drop(folder, layer::ChangeKind::Modified);
  }
  return found;
}

base::Result<std::vector<spec::api::FilesystemChange>> changes(Core& core, const ContainerPtr& container) {
  std::vector<spec::api::FilesystemChange> answer;
  auto found = TRY(changes_of(core, *container->record()));
  for (auto& change : found.all) {
    answer.push_back({std::move(change.path), static_cast<std::uint8_t>(change.kind)});
  }
  return answer;
}

}  // namespace engine
