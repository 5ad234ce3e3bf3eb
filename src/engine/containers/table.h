#pragma once
/// All containers by id and by name. Names are unique; a name is taken from `reserve` on, so that two
/// creates of one name can't both go on. Safe from any thread; nothing blocks.

#include <map>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/containers/container.h"

namespace engine {

class ContainerTable {
 public:
  /// Errors: Conflict, in docker's words.
  base::Result<> reserve_name(const std::string& name, const std::string& id);
  void release_name(const std::string& name);
  /// The container's name is reserved already.
  void add(ContainerPtr container);
  /// With its name.
  void remove(const Container& container);
  /// Errors: Conflict.
  base::Result<> rename(const Container& container, const std::string& to);

  /// By full id, name (a slash in front or not) or unambiguous id prefix, in this order.
  /// Errors: NotFound "No such container: x"; InvalidArgument "multiple IDs found with provided prefix".
  [[nodiscard]] base::Result<ContainerPtr> find(const std::string& ref) const;
  /// Newest first.
  [[nodiscard]] std::vector<ContainerPtr> all() const;

  // Execs are found by their own id.
  void add_exec(const std::string& exec, const std::string& container);
  void remove_execs_of(const std::string& container);
  /// Errors: NotFound "No such exec instance: x".
  [[nodiscard]] base::Result<ContainerPtr> container_of_exec(const std::string& exec) const;

 private:
  mutable std::shared_mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, ContainerPtr> by_id_;  // ordered, for prefixes
  std::unordered_map<std::string, std::string> id_of_name_;
  std::unordered_map<std::string, std::string> container_of_exec_;
};

}  // namespace engine
