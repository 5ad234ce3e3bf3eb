#pragma once
/// How lines are written in a file: what differs between the drivers that keep files.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "logs/driver.h"

namespace logs::detail {

class Encoder {
 public:
  virtual ~Encoder() = default;

  /// The lines that follow came with one read of this stream.
  virtual void begin(Stream stream, base::Time time) = 0;
  /// Appends one line to `out`, given without its newline; one that is not complete has none (yet).
  virtual void append(std::string& out, std::string_view text, bool complete) = 0;
  /// What to write behind a file whose end a crash cut off, so that it spoils nothing that follows; "" if
  /// it is whole.
  virtual base::Result<std::string> repair(int file, std::uint64_t size) const = 0;
};

/// json-file's (line_writer.h), with `attributes` in each line.
std::unique_ptr<Encoder> make_json_encoder(const std::map<std::string, std::string>& attributes);
/// local's (local_record.h).
std::unique_ptr<Encoder> make_local_encoder();

}  // namespace logs::detail
