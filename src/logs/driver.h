#pragma once
/// Log drivers: where the output of a container goes. One lives in each container's shim, which is
/// single-threaded; nothing of it runs in the daemon.
///
/// `json-file` (docker's format, byte for byte) and `local` (docker's, too) keep files; `journald`, `syslog`,
/// `fluentd` and `gelf` send lines elsewhere, through a caisson-log of their own (feed.h), and keep a copy as
/// `local` does unless "cache-disabled" is set; `none` keeps nothing.
///
/// Durability: a line is in the kernel's page cache when write() returns, so it survives the death of
/// every process; there is no fsync, as in docker. A full disk is not an error of the container:
/// write() says Unavailable with ENOSPC, the shim tries again later and the container blocks on its
/// pipe meanwhile (`mode=blocking`) or loses what does not fit `max-buffer-size` (`mode=non-blocking`).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace logs {

enum class Stream : std::uint8_t { Stdout = 1, Stderr = 2 };
[[nodiscard]] std::string_view name_of(Stream stream);  ///< "stdout", "stderr"

/// Whose lines they are, for drivers that say so in each.
struct Origin {
  std::string id, name, image_id, image, command;
  std::string created;  ///< RFC 3339
  std::string tag;      ///< expanded; "" : the first 12 digits of the id
};
void describe(auto& v, Origin& origin) {
  v.opt("id", origin.id);
  v.opt("name", origin.name);
  v.opt("image_id", origin.image_id);
  v.opt("image", origin.image);
  v.opt("command", origin.command);
  v.opt("created", origin.created);
  v.opt("tag", origin.tag);
}

/// What the engine decides about a container's log.
struct Config {
  std::string driver;                          ///< "" is json-file
  std::map<std::string, std::string> options;  ///< max-size, max-file, compress, mode, …
  /// The log file, absolute: <data-root>/containers/<id>/<id>-json.log. Rotated ones stand beside it
  /// as <path>.1 (the youngest), <path>.2, … with ".gz" behind when compressed.
  std::string path;
  /// What `labels`, `labels-regex`, `env`, `env-regex` and `tag` select, already chosen and expanded
  /// by the engine: written as "attrs" of each line, shown by `logs --details`.
  std::map<std::string, std::string> attributes;
  Origin origin;
};
void describe(auto& v, Config& config) {
  v("driver", config.driver);
  v.opt("options", config.options);
  v("path", config.path);
  v.opt("attributes", config.attributes);
  v.opt("origin", config.origin);
}

/// Whether the driver is known and takes these options with these values; for `create`, before
/// anything starts. Errors: InvalidArgument in docker's words ("unknown log opt 'x' for json-file
/// log driver"), for a driver that is unknown too.
base::Result<> validate(const Config& config);

/// Options that every driver has, parsed.
struct DeliveryMode {
  bool blocking = true;
  std::uint64_t buffer_bytes = std::uint64_t{1} << 20U;
};
base::Result<DeliveryMode> delivery_mode(const Config& config);

class Driver {
 public:
  virtual ~Driver() = default;

  /// Opens the log for appending. A last line that a crash cut short is ended first, so that it
  /// spoils no other. Errors: InvalidArgument (options), those of open(2).
  static base::Result<std::unique_ptr<Driver>> open(const Config& config);

  /// Takes bytes as they were read from the process, cut anywhere; `time` is when. Lines are split
  /// here: a line is written with its "\n"; 16 KiB without one are written as a partial line. All of
  /// `bytes` is taken or, after an error, kept inside: call again with no bytes to try again.
  virtual base::Result<> write(Stream stream, std::string_view bytes, base::Time time) = 0;
  /// The stream has ended: writes what stands there without its newline.
  virtual base::Result<> end(Stream stream) = 0;
  /// Bytes taken but not in the file because of an error; 0 as a rule.
  [[nodiscard]] virtual std::size_t pending() const = 0;

  /// The start of a line that waits for its newline, not in the file yet.
  [[nodiscard]] virtual std::string_view unfinished(Stream /*stream*/) const { return {}; }
  /// Whether the process is to wait for a log that can't be written (`mode=blocking`).
  [[nodiscard]] virtual bool blocking() const { return true; }

  /// A file that was just rotated away and is to be compressed (compress_file) by a process of its
  /// own. Until compressed() is called, nothing is rotated again, so that its name stays.
  [[nodiscard]] virtual std::optional<std::string> take_rotated() { return std::nullopt; }
  virtual void compressed() {}
  /// While something is pending: becomes writable when it is worth another write() with no bytes; -1: try
  /// again after a while. Not closed but within such a write.
  [[nodiscard]] virtual int writable_fd() const { return -1; }
  /// Gives memory back while nothing comes.
  virtual void trim() {}
};

/// Replaces `path` by `path`.gz. A crash leaves the one or the other, and a temporary file at worst,
/// which the next compression replaces.
base::Result<> compress_file(const std::string& path);

}  // namespace logs
