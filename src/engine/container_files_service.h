#pragma once
/// The files service: find the container, call the verb.

#include "engine/containers/core.h"
#include "engine/container_files.h"

namespace engine {

/// The core outlives the service.
class ContainerFilesService final : public ContainerFiles {
 public:
  explicit ContainerFilesService(Core& core) : core_{core} {}

  base::Result<spec::api::PathStat> stat(const std::string& ref, const std::string& path) override;
  base::Result<ArchivedPath> archive(const std::string& ref, const std::string& path) override;
  base::Result<std::vector<std::string>> expand(const std::string& ref, const std::string& pattern) override;
  base::Result<> extract(const std::string& ref, const std::string& path, const ExtractOptions& options,
                         base::ByteSource& archive) override;
  base::Result<std::unique_ptr<OutgoingArchive>> export_tree(const std::string& ref) override;
  base::Result<std::vector<spec::api::FilesystemChange>> changes(const std::string& ref) override;
  base::Result<std::string> commit(const std::string& ref, const CommitOptions& options) override;

 private:
  Core& core_;
};

}  // namespace engine
