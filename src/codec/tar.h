#pragma once
/// Tar archives as streams.
///
/// Reading is libarchive's (ustar, pax, GNU long names and sparse files, v7). Names come out as the
/// bytes that stand in the archive: the programs never call setlocale(3), and in the C locale
/// libarchive converts nothing (tar_test.cc holds it to that). Writing is ours, since an archive must
/// not depend on locale, libarchive's version or the machine: ustar headers, with a pax header only
/// where ustar's fields are too small.
///
/// The archive is not to be trusted: nothing here looks at what a name means. See layer/apply.h.
///
/// One thread at a time. Errors: InvalidArgument (malformed archive), and those of the stream.
/// Sources: POSIX.1-2017 pax(1); GNU tar manual, "Basic Tar Format"; star(5) for SCHILY.xattr.

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_stream.h"
#include "base/result.h"

struct archive;
struct archive_entry;

namespace codec {

enum class TarType : std::uint8_t { File, Directory, Symlink, HardLink, CharDevice, BlockDevice, Fifo };
[[nodiscard]] std::string_view name_of(TarType type);

struct TarEntry {
  std::string path;  ///< as in the archive; a directory's may end in '/'
  TarType type = TarType::File;
  std::uint32_t mode = 0;  ///< permission bits with setuid, setgid and sticky: 07777 at most
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;   ///< of a file, holes included; 0 for all others
  std::string link_target;  ///< of a symlink or a hard link
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  struct ::timespec mtime{};
  std::vector<std::pair<std::string, std::string>> xattrs;  ///< full name ("user.x") and value
};

/// A part of a file. What lies between two parts, or behind the last one, is a hole.
struct TarBlock {
  std::uint64_t offset = 0;
  std::string_view bytes;  ///< valid until the next call on the reader
};

/// The content of an archive's present file, part by part.
class TarContent {
 public:
  virtual ~TarContent() = default;
  /// The next part of the present file; false at its end.
  virtual base::Result<bool> next_block(TarBlock& block) = 0;
};

class TarReader final : public TarContent {
 public:
  /// `source` is plain tar and must outlive the reader. It is read ahead of what `next` has given,
  /// and is not read further than the archive's end marker.
  explicit TarReader(base::ByteSource& source);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader() override;

  /// The next entry, skipping what was not read of the one before; false at the end. `entry` is
  /// overwritten, so that its memory is used again.
  base::Result<bool> next(TarEntry& entry);
  base::Result<bool> next_block(TarBlock& block) override;
  /// The present file's content with its holes as zeros; ends at the next call of `next`.
  base::ByteSource& data();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class TarWriter {
 public:
  explicit TarWriter(base::ByteSink& sink) : sink_{sink} {}

  /// Writes the header. Then exactly `entry.size` bytes of a file are to be written, before the next
  /// `add`. Nanoseconds of the mtime cost a pax header of 1 KiB.
  base::Result<> add(const TarEntry& entry);
  base::Result<> write(std::string_view bytes);
  /// The end marker. Nothing may follow.
  base::Result<> finish();

  /// Written so far.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  base::Result<> put(std::string_view bytes);
  base::Result<> pad();

  base::ByteSink& sink_;
  std::uint64_t bytes_ = 0;
  std::uint64_t left_ = 0;  // of the present file
};

}  // namespace codec
