#pragma once
/// One line of `docker stats`: what a container's sample means in numbers that people read. Pure.
/// Source: docker's reference of `docker container stats`.

#include <cstdint>
#include <string>

#include "spec/engine/stats.h"

namespace cli::stats {

struct Usage {
  std::string container;  ///< as it was asked for
  std::string name, id;   ///< "" until there was a sample
  double cpu_percent = 0;  ///< of one CPU
  double memory = 0, memory_limit = 0, memory_percent = 0;  ///< bytes, without page cache that is easily freed
  double received = 0, sent = 0;                            ///< bytes
  double read = 0, written = 0;                             ///< bytes
  std::uint64_t pids = 0;
  /// No sample came for a while: the numbers are unknown.
  bool stale = false;
};

[[nodiscard]] Usage usage_of(const std::string& container, const spec::api::ContainerStats& sample);

}  // namespace cli::stats
