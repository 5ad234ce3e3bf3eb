#include "engine/container_files_service.h"

#include "engine/containers/verbs.h"

namespace engine {

using base::Result;

Result<spec::api::PathStat> ContainerFilesService::stat(const std::string& ref, const std::string& path) {
  return stat_path(core_, TRY(core_.table.find(ref)), ref, path);
}

Result<ArchivedPath> ContainerFilesService::archive(const std::string& ref, const std::string& path) {
  return archive_path(core_, TRY(core_.table.find(ref)), ref, path);
}

Result<std::vector<std::string>> ContainerFilesService::expand(const std::string& ref, const std::string& pattern) {
  return expand_paths(core_, TRY(core_.table.find(ref)), pattern);
}

Result<> ContainerFilesService::extract(const std::string& ref, const std::string& path,
                                        const ExtractOptions& options, base::ByteSource& archive) {
  return engine::extract(core_, TRY(core_.table.find(ref)), ref, path, options, archive);
}

Result<std::unique_ptr<OutgoingArchive>> ContainerFilesService::export_tree(const std::string& ref) {
  return engine::export_tree(core_, TRY(core_.table.find(ref)));
}

Result<std::vector<spec::api::FilesystemChange>> ContainerFilesService::changes(const std::string& ref) {
  return engine::changes(core_, TRY(core_.table.find(ref)));
}

Result<std::string> ContainerFilesService::commit(const std::string& ref, const CommitOptions& options) {
  return engine::commit(core_, TRY(core_.table.find(ref)), options);
}

}  // namespace engine
