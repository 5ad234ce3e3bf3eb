#pragma once
/// Follows the statistics of several containers at once, each in a thread of its own that waits for the daemon.

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/stats/usage.h"
#include "client/client.h"

namespace cli::stats {

/// A handle: copies are the same collector. Threads: any. What is under way goes on until the process ends, since a
/// thread may wait for a daemon that says nothing.
class Collector {
 public:
  enum class Mode : bool { Once, Stream };
  Collector(client::Client& client, Mode mode);

  /// Does nothing for one that is watched already, by the same word.
  void watch(const std::string& container);
  void forget(const std::string& container);
  /// The daemon has left: nothing more will come.
  void end();
  /// Waits this long for that end. Whether it came.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds time) const;
  /// Until each has a sample, an error, or has been silent for two seconds.
  void wait_for_first();
  /// In the order of `watch`; those that are gone are left out.
  [[nodiscard]] std::vector<Usage> usages() const;
  [[nodiscard]] std::vector<std::string> errors() const;

 private:
  struct State;
  static void follow(const std::shared_ptr<State>& state, const std::string& container);

  std::shared_ptr<State> state_;
};

}  // namespace cli::stats
