#pragma once
/// Images from and to registries: for `pull`, `push` and the commands that need an image.

#include <string>

#include "base/result.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "client/images.h"
#include "spec/reference.h"

namespace cli {

/// The user's credentials for the reference's registry, for X-Registry-Auth.
base::Result<std::optional<client::RegistryAuth>> registry_auth(Cli& cli, const spec::Reference& reference);

/// What pull and push ask alike.
struct TransferFlags {
  bool all_tags = false, quiet = false, content_trust = true;
  std::string platform;

  void bind(FlagBinder& flags);
  /// The image that `text` means: without a tag `latest`, which is said, or all tags. Errors: InvalidArgument.
  [[nodiscard]] base::Result<spec::Reference> reference(Cli& cli, const std::string& text) const;
};

struct PullRequest {
  spec::Reference reference;  ///< without tag and digest: all tags
  std::string platform;
  bool quiet = false;
};
/// Progress goes to `progress`. Errors: what the daemon says, at the start or in its progress.
base::Result<> pull_image(Cli& cli, client::Client& client, const PullRequest& request, Output& progress);

}  // namespace cli
