#pragma once
/// Bytes on their way to a client that reads slower than the container writes: a bounded piece of
/// memory, then an unlinked file. First in, first out; nothing is lost and nothing grows in memory.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/fd.h"

namespace shim::detail {

class SpillQueue {
 public:
  /// In memory at most, per client.
  static constexpr std::size_t kMemory = 256 * 1024;

  /// `directory` is on a disk.
  explicit SpillQueue(std::string directory) : directory_{std::move(directory)} {}

  /// Errors: those of the disk; the queue is then broken.
  base::Result<> push(std::string_view bytes);
  /// What is next, "" if nothing. Valid until the next call of another method.
  [[nodiscard]] std::string_view front() const { return std::string_view{memory_}.substr(taken_); }
  /// Takes `count` bytes of front() away and reads on in the file when that was all.
  base::Result<> pop(std::size_t count);
  [[nodiscard]] bool empty() const { return front().empty(); }
  /// Bytes that wait in the file.
  [[nodiscard]] std::uint64_t spilled() const { return written_ - read_; }

 private:
  base::Result<> refill();

  std::string directory_;
  std::string memory_;      ///< from `taken_` on
  std::size_t taken_ = 0;
  sys::UniqueFd file_;      ///< what comes behind `memory_`
  std::uint64_t read_ = 0;  ///< in the file: up to here in memory or gone
  std::uint64_t written_ = 0;
  std::uint64_t punched_ = 0;  ///< up to here its blocks were given back
};

}  // namespace shim::detail
