#pragma once
/// `commit --change`: instructions of a Dockerfile applied to an image's config. Pure.
/// Source: Dockerfile reference; docker's reference of `docker container commit` ("Supported instructions").

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/engine/container.h"

namespace engine {

/// One instruction per line: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME,
/// WORKDIR. $NAME and ${NAME} stand for the config's own environment.
/// Errors: InvalidArgument, "FROM is not a valid change command" and the like.
base::Result<> apply_changes(spec::api::ContainerConfig& config, const std::vector<std::string>& changes);

}  // namespace engine
