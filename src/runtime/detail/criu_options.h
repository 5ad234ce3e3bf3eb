#pragma once
/// What checkpoint and restore tell CRIU alike.

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/checkpoint.h"
#include "runtime/detail/criu_rpc.h"
#include "sys/fd.h"

namespace runtime::detail::criu {

/// A checkpoint. Errors: NotFound, InvalidArgument when it is damaged.
base::Result<sys::UniqueFd> open_images(const std::string& path);
/// In a user namespace CRIU looks for images as the container's root. Their contents stay root's.
base::Result<> let_others_search(int images);
/// Made if missing; none when `path` is empty.
base::Result<sys::UniqueFd> open_work_directory(const std::string& path);
[[nodiscard]] std::string log_path(const CriuOptions& options, std::string_view name);

base::Result<Options> common_options(const CriuOptions& wanted, const sys::UniqueFd& images, const sys::UniqueFd& work,
                                     std::string_view log, const Version& version);
/// CRIU's configuration file: the one that the annotation "org.criu.config" names (none if it is empty),
/// else /etc/criu/caisson-runtime.conf, or runc's where there is none.
[[nodiscard]] std::string config_file(const std::map<std::string, std::string>& annotations);

/// The name of a namespace that CRIU leaves to us, "extRootNetNS"; empty for the types that it enters by
/// path. Source: criu(8), --external; runc uses the same names.
[[nodiscard]] std::string external_namespace_key(std::string_view type);

}  // namespace runtime::detail::criu
