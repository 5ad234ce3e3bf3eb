#pragma once
/// Writes objects of a file system into an archive, one by one or as whole trees.

#include <map>
#include <set>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "base/byte_stream.h"
#include "codec/tar.h"

namespace tree {

struct Written {
  std::uint64_t tar_bytes = 0;
  std::uint64_t content_bytes = 0;
  std::uint64_t entries = 0;
};

enum class Form : std::uint8_t {
  Plain,         ///< everything as it is
  OverlayToOci,  ///< overlay's whiteouts and opaque directories become OCI's
};

class Writer {
 public:
  Writer(base::ByteSink& sink, Form form) : tar_{sink}, form_{form}, buffer_(std::size_t{128} << 10U) {}

  enum class Below : std::uint8_t { No, Yes };
  /// The object `name` in `dir` as `path` of the archive, and with `Yes` all that is in a directory.
  /// What is not there any more is left out.
  base::Result<> add(int dir, const std::string& name, const std::string& path, Below below);
  /// All that is in the directory, without an entry for itself; `path` is "" or ends in '/'.
  base::Result<> add_children(int dir, const std::string& path);
  /// A file that the layer takes away.
  base::Result<> add_whiteout(const std::string& path, const struct ::timespec& mtime);
  base::Result<Written> finish();
  /// Objects with these names in the archive (without a last '/') are passed over, with all below them.
  void leave_out(std::set<std::string, std::less<>> paths) { left_out_ = std::move(paths); }

 private:
  base::Result<> add_directory(int dir, const std::string& name, const struct ::stat& status,
                               const std::string& path, Below below);
  base::Result<> add_file(int dir, const std::string& name, const struct ::stat& status,
                          const std::string& path);
  base::Result<> add_other(int dir, const std::string& name, const struct ::stat& status,
                           const std::string& path);
  base::Result<> add_content(int file, std::uint64_t size);
  base::Result<> put(const codec::TarEntry& entry);
  /// Keeps what belongs into an archive and says whether the directory is opaque.
  base::Result<bool> take_xattrs(codec::TarEntry& entry,
                                 std::vector<std::pair<std::string, std::string>> xattrs) const;

  codec::TarWriter tar_;
  Form form_;
  Written written_;
  std::vector<char> buffer_;
  std::set<std::string, std::less<>> left_out_;
  std::map<std::pair<dev_t, ino_t>, std::string> linked_;  // files with several names, by their first one
};

}  // namespace tree
