#pragma once
/// Where networks and endpoints are kept across restarts of the daemon.
///
/// Writes are durable against the death of the process when they return. An endpoint that is
/// recorded but unknown to the kernel is garbage that the next start collects; the reverse never
/// happens, because the record is written first and erased last.

#include <memory>
#include <vector>

#include "base/result.h"
#include "net/network.h"

namespace state {
class Database;
}

namespace net {

class Records {
 public:
  virtual ~Records() = default;
  virtual base::Result<std::vector<Network>> networks() = 0;
  virtual base::Result<std::vector<Endpoint>> endpoints() = 0;
  /// Insert or replace, by id.
  virtual base::Result<> put(const Network& network) = 0;
  virtual base::Result<> put(const Endpoint& endpoint) = 0;
  /// What is not there is no error.
  virtual base::Result<> erase(const base::NetworkId& id) = 0;
  virtual base::Result<> erase(const EndpointId& id) = 0;
};

/// The tables `networks` and `endpoints` of the engine's database, which outlives the result.
std::unique_ptr<Records> records_in(state::Database& database);
/// Forgets all with the process.
std::unique_ptr<Records> records_in_memory();

}  // namespace net
