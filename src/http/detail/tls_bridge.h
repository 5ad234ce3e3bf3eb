#pragma once
/// Copies between a TLS connection that was taken over and the socket pair that its new owner got
/// instead of it. Each end's half-close is passed on to the other one.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/result.h"
#include "http/detail/transport.h"

namespace http::detail {

/// Runs until both directions have ended, an error, or `stop` (an eventfd; -1: none) is readable.
void run_bridge(Transport& tls, int pair, int stop);

/// The bridges of one server or client: one small thread each.
class Bridges {
 public:
  Bridges() = default;
  Bridges(const Bridges&) = delete;
  Bridges& operator=(const Bridges&) = delete;
  /// Breaks the connections and waits for the threads.
  ~Bridges();

  /// The other end. Errors: Internal.
  base::Result<sys::UniqueFd> add(std::unique_ptr<Transport> tls);

 private:
  std::mutex mutex_;  // guards all below
  std::condition_variable ended_;
  std::size_t running_ = 0;
  sys::UniqueFd stop_;
};

}  // namespace http::detail
