#pragma once
/// The networks service. Bodies are JSON as the API has them: the struct lives in net's terms.

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/containers.h"

namespace engine {

class Networks {
 public:
  virtual ~Networks() = default;
  /// Network objects of the API (swagger: Network).
  virtual base::Result<std::vector<codec::Json>> list(const Filters& filters) = 0;
  virtual base::Result<codec::Json> inspect(const std::string& ref, bool verbose) = 0;
  /// Body of POST /networks/create → {"Id", "Warning"}.
  virtual base::Result<codec::Json> create(const codec::Json& request) = 0;
  virtual base::Result<> remove(const std::string& ref) = 0;
  /// Removes networks that a user made and no container is in. Their names. Filters: until, label, label!.
  virtual base::Result<std::vector<std::string>> prune(const Filters& filters) = 0;
  virtual base::Result<> connect(const std::string& ref, const codec::Json& request) = 0;
  virtual base::Result<> disconnect(const std::string& ref, const std::string& container, bool force) = 0;
};

}  // namespace engine
