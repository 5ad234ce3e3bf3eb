#include "engine/containers/table.h"

#include <algorithm>

namespace engine {

namespace {
base::Error name_in_use(const std::string& name, const std::string& holder) {
  return base::conflict("Conflict. The container name \"/" + name + "\" is already in use by container \"" + holder +
                        "\". You have to remove (or rename) that container to be able to reuse that name.");
}
}  // namespace

base::Result<> ContainerTable::reserve_name(const std::string& name, const std::string& id) {
  const std::unique_lock lock{mutex_};
  const auto [there, added] = id_of_name_.emplace(name, id);
  if (!added) return name_in_use(name, there->second);
  return {};
}

void ContainerTable::release_name(const std::string& name) {
  const std::unique_lock lock{mutex_};
  id_of_name_.erase(name);
}

void ContainerTable::add(ContainerPtr container) {
  const std::unique_lock lock{mutex_};
  const std::string id = container->id();
  by_id_.emplace(id, std::move(container));
}

void ContainerTable::remove(const Container& container) {
  const std::string name = container.record()->name;
  const std::unique_lock lock{mutex_};
  id_of_name_.erase(name);
  by_id_.erase(container.id());
}

base::Result<> ContainerTable::rename(const Container& container, const std::string& to) {
  const std::string from = container.record()->name;
  const std::unique_lock lock{mutex_};
  const auto [there, added] = id_of_name_.emplace(to, container.id());
  if (!added) return name_in_use(to, there->second);
  id_of_name_.erase(from);
  return {};
}

base::Result<ContainerPtr> ContainerTable::find(const std::string& ref) const {
  const std::shared_lock lock{mutex_};
  if (const auto exact = by_id_.find(ref); exact != by_id_.end()) return exact->second;
  const std::string name = ref.starts_with('/') ? ref.substr(1) : ref;
  if (const auto named = id_of_name_.find(name); named != id_of_name_.end()) {
    // A reserved name has no container until its create is done.
    if (const auto exact = by_id_.find(named->second); exact != by_id_.end()) return exact->second;
  }
  if (ref.empty()) return base::invalid("prefix can't be empty");
  auto candidate = by_id_.lower_bound(ref);
  if (candidate == by_id_.end() || !candidate->first.starts_with(ref)) {
    return base::not_found("No such container: " + ref);
  }
  const auto next = std::next(candidate);
  if (next != by_id_.end() && next->first.starts_with(ref)) {
    return base::invalid("multiple IDs found with provided prefix: " + ref);
  }
  return candidate->second;
}

std::vector<ContainerPtr> ContainerTable::all() const {
  std::vector<std::pair<base::Time, ContainerPtr>> dated;
  {
    const std::shared_lock lock{mutex_};
    dated.reserve(by_id_.size());
    for (const auto& [id, container] : by_id_) dated.emplace_back(base::Time{}, container);
  }
  for (auto& [created, container] : dated) created = container->record()->created;
  std::ranges::stable_sort(dated, std::greater<>{}, &std::pair<base::Time, ContainerPtr>::first);
  std::vector<ContainerPtr> result;
  result.reserve(dated.size());
  for (auto& [created, container] : dated) result.push_back(std::move(container));
  return result;
}

void ContainerTable::add_exec(const std::string& exec, const std::string& container) {
  const std::unique_lock lock{mutex_};
  container_of_exec_.emplace(exec, container);
}

void ContainerTable::remove_execs_of(const std::string& container) {
  const std::unique_lock lock{mutex_};
  std::erase_if(container_of_exec_, [&](const auto& item) { return item.second == container; });
}

base::Result<ContainerPtr> ContainerTable::container_of_exec(const std::string& exec) const {
  const std::shared_lock lock{mutex_};
  const auto found = container_of_exec_.find(exec);
  const auto container = found == container_of_exec_.end() ? by_id_.end() : by_id_.find(found->second);
  if (container == by_id_.end()) return base::not_found("No such exec instance: " + exec);
  return container->second;
}

}  // namespace engine
