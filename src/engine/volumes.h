#pragma once
/// The volumes service: named directories that outlive containers, local driver.

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/containers.h"

namespace engine {

class Volumes {
 public:
  virtual ~Volumes() = default;
  /// Volume objects of the API (swagger: Volume).
  virtual base::Result<std::vector<codec::Json>> list(const Filters& filters) = 0;
  /// All of them, with UsageData: the bytes of each and how many containers have it.
  virtual base::Result<std::vector<codec::Json>> disk_usage() = 0;
  virtual base::Result<codec::Json> inspect(const std::string& name) = 0;
  /// Body of POST /volumes/create → Volume. Creating what is there gives what is there.
  virtual base::Result<codec::Json> create(const codec::Json& request) = 0;
  virtual base::Result<> remove(const std::string& name, bool force) = 0;
  /// Removes volumes that no container has: those without a name of their own, or with the filter "all"
  /// every one. Filters: all, label, label!.
  virtual base::Result<PruneReport> prune(const Filters& filters) = 0;
};

}  // namespace engine
