#pragma once
/// Archives of and for the files of a container.

#include <memory>
#include <string>

#include "base/byte_stream.h"
#include "client/client.h"
#include "spec/engine/archive.h"

namespace client {

struct OutgoingArchive {
  spec::api::PathStat stat;
  std::unique_ptr<http::Reply> tar;
};

class ContainerFiles {
 public:
  explicit ContainerFiles(Client& client) : client_{client} {}

  /// The answer has no body, so an error says only its status.
  base::Result<spec::api::PathStat> stat(const std::string& ref, const std::string& path);
  base::Result<OutgoingArchive> archive(const std::string& ref, const std::string& path);
  /// The paths that match a shell pattern, sorted. Errors: NotFound when there is no such container, NotImplemented
  /// when the daemon is docker's, which does not know patterns.
  base::Result<std::vector<std::string>> expand(const std::string& ref, const std::string& pattern);
  /// Unpacks `tar` into the directory `path`; nothing there changes its kind. `copy_uid_gid`: all is to belong to
  /// the container's user.
  base::Result<> extract(const std::string& ref, const std::string& path, bool copy_uid_gid, base::ByteSource& tar);
  base::Result<std::unique_ptr<http::Reply>> export_tree(const std::string& ref);
  base::Result<std::vector<spec::api::FilesystemChange>> changes(const std::string& ref);
  struct CommitOptions {
    std::string repository, tag, comment, author;
    std::vector<std::string> changes;
    bool pause = true;
  };
  /// The id of the new image.
  base::Result<std::string> commit(const std::string& ref, const CommitOptions& options);

 private:
  Client& client_;
};

}  // namespace client
