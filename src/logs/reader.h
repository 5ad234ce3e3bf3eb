#pragma once
/// Reads a container's log: back through rotated files, by time, the last n lines, and on as it grows.
///
/// Reading needs no help from the writer and no lock: the file only grows, and rotation renames it,
/// so a reader that holds a descriptor loses nothing. `since` is found by bisection over the file,
/// `tail` by reading blocks backwards, so neither depends on the size of the log. Following waits on
/// inotify(7). A line that is malformed (cut by a crash, or by a disk error) is skipped and counted.
///
/// Entries come as they were stored: a line longer than 16 KiB is several entries, of which only the
/// last ends in a newline; clients print them one behind the other and so see the line again.
///
/// Threads: one at a time, but finish() is safe from any.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "logs/driver.h"

namespace logs {

struct ReadOptions {
  bool out = true, err = true;
  std::optional<base::Time> since;     ///< entries at or after it
  std::optional<base::Time> until;     ///< entries at or before it
  std::optional<std::uint64_t> tail;   ///< the last n entries of the wanted streams; nullopt: all
  bool follow = false;
};

struct Entry {
  Stream stream = Stream::Stdout;
  base::Time time{};
  std::string line;  ///< with its newline, unless partial
  std::map<std::string, std::string> attributes;
};

class Reader {
 public:
  virtual ~Reader() = default;

  /// `config` as the container has it. A log that does not exist yet is an empty one.
  /// Errors: NotImplemented for a driver that can't be read, in docker's words ("configured logging
  /// driver does not support reading").
  static base::Result<std::unique_ptr<Reader>> open(const Config& config, const ReadOptions& options);

  /// What step() found.
  enum class Step : std::uint8_t {
    Entry,  ///< `entry` is filled
    Wait,   ///< following and nothing new: fd() becomes readable when it is worth another step
    End,    ///< the end, or past `until`
  };
  /// Never blocks longer than a disk does. `entry` is reused: its strings keep their capacity.
  virtual base::Result<Step> step(Entry& entry) = 0;
  /// For a reactor; -1 unless following.
  [[nodiscard]] virtual int fd() const = 0;
  /// The writer is gone: what is in the files now is all there will be. step() then ends instead of
  /// waiting. Wakes a blocked next().
  virtual void finish() = 0;
  /// Malformed lines skipped so far.
  [[nodiscard]] virtual std::uint64_t skipped() const = 0;

  /// step() that blocks: false at the end, and when `stop` was requested.
  base::Result<bool> next(Entry& entry, std::stop_token stop);

 protected:
  /// Makes fd() readable. Safe from any thread.
  virtual void wake() = 0;
  /// When following ends by itself.
  [[nodiscard]] virtual std::optional<base::Time> until() const = 0;
};

}  // namespace logs
