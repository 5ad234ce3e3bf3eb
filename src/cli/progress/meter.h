#pragma once
/// What a user sees on a terminal of something that takes longer than a moment; elsewhere nothing. A line of its own,
/// which is gone when the work is done.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/byte_stream.h"
#include "cli/output.h"

namespace cli {

/// Bytes so far: "Copying from container - 12.3MB".
class Meter {
 public:
  Meter(Output& out, std::string what) : out_{out}, what_{std::move(what)}, shown_{out.is_terminal()} {}
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;
  ~Meter() { clear(); }

  void show(std::uint64_t bytes);
  void clear();

 private:
  static constexpr std::chrono::milliseconds kInterval{500};
  Output& out_;
  std::string what_;
  bool shown_, drawn_ = false;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + kInterval;
};

/// Shows what is read through it.
class MeteredSource final : public base::ByteSource {
 public:
  MeteredSource(base::ByteSource& source, Meter& meter) : source_{source}, meter_{meter} {}
  base::Result<std::size_t> read(std::span<char> buffer) override;

 private:
  base::ByteSource& source_;
  Meter& meter_;
  std::uint64_t bytes_ = 0;
};

/// Something that tells nothing before it is done, with the seconds that it has taken: "Committing web … 3 s".
/// Nobody else may write to the terminal while it lives.
class Waiting {
 public:
  Waiting(Output& out, std::string what);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  void run();

  Output& out_;
  std::string what_;
  std::mutex mutex_;  // guards done_
  std::condition_variable changed_;
  bool done_ = false;
  std::optional<std::thread> thread_;
};

}  // namespace cli
