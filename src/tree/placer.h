#pragma once
/// Puts the entries of an archive into a tree, each below the root's descriptor.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/tar.h"
#include "tree/names.h"
#include "sys/fd.h"

namespace tree {

enum class Whiteouts : std::uint8_t {
  Plain,      ///< `.wh.x` is a file name like any other
  ToOverlay,  ///< OCI's names become overlay's devices and xattrs
};

struct PlaceOptions {
  std::size_t path_bytes = 4095;  ///< PATH_MAX without its NUL; 0: no limit
  /// Docker's noOverwriteDirNonDir: refuse to replace a directory by something else and the reverse.
  bool keep_kinds = false;
  enum class Owner : std::uint8_t {
    OfEntry,  ///< what the archive says
    Given,    ///< `uid` and `gid`
    Caller,   ///< the calling process's, which may be nobody special: attributes that it may not set are left out
  };
  Owner owner = Owner::OfEntry;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  /// Clean path of a folder below the root, which is there: names count from it and don't climb out of
  /// it, while symlinks still count from the root, as for a process inside. "" for the root.
  std::string folder;
  /// False: an entry for the folder itself changes nothing of it.
  bool describe_root = true;
};

class Placer {
 public:
  /// `options` outlives the placer.
  Placer(int root, Whiteouts whiteouts, const PlaceOptions& options)
      : root_{root}, whiteouts_{whiteouts}, options_{options} {}

  /// Errors say what is wrong, not with which entry.
  base::Result<> place(const codec::TarEntry& entry, codec::TarContent& content);
  /// Directories get their times last, since each new child changes them.
  base::Result<> finish();

  [[nodiscard]] std::uint64_t content_bytes() const { return content_bytes_; }
  [[nodiscard]] bool describes_root() const { return describes_root_; }

 private:
  /// Where an entry goes: a folder that stays open, and the name in it.
  struct Target {
    int dir = -1;
    std::string name;
    std::string path;  // clean, from the root
  };
  /// An open folder by its clean path. Names that lead through symlinks are kept by the name used.
  struct CachedDir {
    std::string path;
    sys::UniqueFd fd;
    std::uint64_t used = 0;
  };
  struct DirTime {
    std::string path;
    struct ::timespec mtime;
  };
  enum class Missing : std::uint8_t { Fail, Create };

  base::Result<int> open_folder(std::string_view path, Missing missing);
  base::Result<sys::UniqueFd> walk(std::string_view path);
  base::Result<sys::UniqueFd> make_folder_on_way(int dir, const std::string& name);
  base::Result<> make_room(const Target& target, codec::TarType type);

  base::Result<> place_root(const codec::TarEntry& entry);
  base::Result<> place_whiteout(const Target& target);
  base::Result<> place_directory(const Target& target, const codec::TarEntry& entry);
  base::Result<> place_file(const Target& target, const codec::TarEntry& entry, codec::TarContent& content);
  base::Result<> place_symlink(const Target& target, const codec::TarEntry& entry);
  base::Result<> place_hard_link(const Target& target, const codec::TarEntry& entry);
  base::Result<> place_node(const Target& target, const codec::TarEntry& entry);

  base::Result<> write_content(int file, const codec::TarEntry& entry, codec::TarContent& content);
  base::Result<> make_opaque(int dir);
  /// The clean path from the root of what an archive calls `name`.
  [[nodiscard]] base::Result<std::string> path_of(const std::string& name) const;
  base::Result<> own(int fd, const codec::TarEntry& entry) const;
  base::Result<> own_at(const Target& target, const codec::TarEntry& entry) const;
  base::Result<> set_xattrs(int fd, const codec::TarEntry& entry) const;
  void forget_folders();

  int root_;
  Whiteouts whiteouts_;
  const PlaceOptions& options_;
  std::array<CachedDir, 16> folders_;
  std::uint64_t clock_ = 0;  // for the least recently used folder
  std::vector<DirTime> times_;
  std::uint64_t content_bytes_ = 0;
  bool describes_root_ = false;
};

/// Sets what rule_of keeps on the open object; `fd` may be O_PATH. Errors: InvalidArgument (refused).
base::Result<> apply_xattrs(int fd, const std::vector<std::pair<std::string, std::string>>& xattrs);

/// overlay's mark that hides a lower file.
bool is_whiteout(const struct ::stat& status);

}  // namespace tree
