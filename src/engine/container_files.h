#pragma once
/// The files of a container, whether it runs or not: copies in and out, export, changes.
///
/// A container that runs is looked at through its own root, so its volumes and tmpfs are there. For one that does
/// not, its layers and volumes are put together where nobody else sees them, and its verbs wait meanwhile (two
/// mounts must not share one writable layer). Whatever the container's own links say, nothing outside of its root
/// is reached (CVE-2018-15664), and nothing of it is ever executed or loaded (CVE-2019-14271). Nothing is kept on
/// the way: archives are streams.
///
/// All methods are safe from any thread and may block as long as their stream does. Errors: NotFound "No such
/// container: x" and "Could not find the file /x in container y"; those of the streams.

#include <memory>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/result.h"
#include "spec/engine/archive.h"
#include "spec/engine/container.h"

namespace engine {

/// An archive about to be written: what would be an HTTP status is known by now.
class OutgoingArchive {
 public:
  virtual ~OutgoingArchive() = default;
  /// Plain tar. Once.
  virtual base::Result<> write(base::ByteSink& sink) = 0;
};

struct ArchivedPath {
  spec::api::PathStat stat;
  std::unique_ptr<OutgoingArchive> archive;
};

struct ExtractOptions {
  /// Refuse to replace a directory by something else and the reverse.
  bool no_overwrite_dir_non_dir = false;
  /// Everything is to belong to the container's user, if it has one; else to whom the archive says.
  bool copy_uid_gid = false;
};

struct CommitOptions {
  std::string repository, tag;  ///< "" : the image gets no name
  std::string comment, author;
  bool pause = true;
  std::vector<std::string> changes;     ///< instructions of a Dockerfile, "CMD sh"
  spec::api::ContainerConfig config;    ///< what is not in it, the container's own fills in
};

class ContainerFiles {
 public:
  virtual ~ContainerFiles() = default;

  /// `path` counts from the container's root, with docker's rules for a last "/" and "/.".
  virtual base::Result<spec::api::PathStat> stat(const std::string& ref, const std::string& path) = 0;
  /// The file or tree at `path`; its entries begin with the path's last component.
  virtual base::Result<ArchivedPath> archive(const std::string& ref, const std::string& path) = 0;
  /// The paths that match a shell pattern (tree/glob.h), sorted. Errors: InvalidArgument: too many.
  virtual base::Result<std::vector<std::string>> expand(const std::string& ref, const std::string& pattern) = 0;
  /// Unpacks a tar, gzip or zstd into the directory `path`. Errors: InvalidArgument "extraction point is not a
  /// directory", "container rootfs is marked read-only", "mounted volume is marked read-only", and those of a bad
  /// archive; Internal "cannot overwrite directory …".
  virtual base::Result<> extract(const std::string& ref, const std::string& path, const ExtractOptions& options,
                                 base::ByteSource& archive) = 0;
  /// What the container's own layers show, without volumes and other mounts.
  virtual base::Result<std::unique_ptr<OutgoingArchive>> export_tree(const std::string& ref) = 0;
  /// Against the image, sorted by path.
  virtual base::Result<std::vector<spec::api::FilesystemChange>> changes(const std::string& ref) = 0;
  /// Makes an image of them; its id. A container that runs is paused meanwhile unless `pause` is false.
  /// Errors: InvalidArgument (name, instruction), Conflict (it is being removed), NotFound (its image is gone).
  virtual base::Result<std::string> commit(const std::string& ref, const CommitOptions& options) = 0;
};

}  // namespace engine
