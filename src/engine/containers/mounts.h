#pragma once
/// From -v, --mount, --tmpfs, --volumes-from and the image's VOLUME to the container's mounts.
/// Volumes are only named here; the create verb makes them. Pure but for `check_bind_source`.

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/containers/record.h"
#include "spec/runtime_config.h"

namespace engine {

/// "src:dst[:mode]" of -v. Errors: InvalidArgument in docker's words.
base::Result<MountRecord> parse_bind(const std::string& text);
/// One of HostConfig.Mounts.
base::Result<MountRecord> parse_mount(const spec::api::Mount& mount);

/// What one container of --volumes-from brings, with the mode that was asked for ("", "ro", "rw", …).
struct InheritedMounts {
  std::vector<MountRecord> mounts;
  std::string mode;
};
/// Unlike -v, --mount does not make a source that is missing, unless it is asked to. Errors: InvalidArgument.
base::Result<> check_bind_source(const spec::api::Mount& mount);
/// "name[:mode]" → the two parts. Errors: InvalidArgument.
base::Result<std::pair<std::string, std::string>> parse_volumes_from(const std::string& text);

/// All of them, in docker's order of precedence: inherited ones, -v, --mount, the image's volumes where
/// nothing else is. Volumes without a name get a random one and are marked anonymous.
/// Errors: InvalidArgument "Duplicate mount point: /x".
base::Result<std::vector<MountRecord>> collect_mounts(const spec::api::ContainerConfig& config,
                                                      const spec::api::HostConfig& host,
                                                      const std::vector<InheritedMounts>& inherited);

/// The mount as the runtime gets it. Errors: InvalidArgument (tmpfs options).
base::Result<spec::oci::Mount> to_oci(const MountRecord& mount);
/// As inspect shows it.
[[nodiscard]] spec::api::MountPoint to_api(const MountRecord& mount);

}  // namespace engine
