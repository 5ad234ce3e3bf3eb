#pragma once
/// The `run` command line that would make a container again, from what inspect says of it: flags stand there
/// only where the container differs from its image and from the daemon's defaults. Pure.
///
/// What no flag can say is left as near as flags come: an entrypoint of several words, a health check that is no
/// shell command.

#include <optional>
#include <string>
#include <vector>

#include "spec/engine/container_state.h"
#include "spec/engine/image.h"
#include "spec/engine/system.h"

namespace cli {

struct AsRunFacts {
  /// nullopt: the image is gone, so that all is said on the command line.
  std::optional<spec::api::ContainerConfig> image;
  std::string default_runtime, default_log_driver = "json-file", default_cgroupns = "private",
                               default_ipc = "private";
};
[[nodiscard]] AsRunFacts facts_of(const spec::api::SystemInfo& info);

/// The words behind "docker": {"run", "-d", "--name", "web", …, "nginx"}.
[[nodiscard]] std::vector<std::string> as_run_words(const spec::api::ContainerInspect& container,
                                                    const AsRunFacts& facts);

/// Words as a POSIX shell reads them.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

}  // namespace cli
