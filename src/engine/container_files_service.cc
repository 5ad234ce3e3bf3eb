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

Result<> ContainerFilesService::extract(const std::string& ref, const std::string& path,
                                        const ExtractOptions& options, base::ByteSource& archive) {
  return engine::extract(core_, TRY(core_.table.find(ref)), ref, path, options, archive);
}

}  // namespace engine
