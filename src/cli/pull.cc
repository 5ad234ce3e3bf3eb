#include "cli/pull.h"

#include "cli/progress/display.h"

namespace cli {

using base::Result;

void TransferFlags::bind(FlagBinder& flags) {
  flags("all-tags", all_tags);
  flags("platform", platform);
  flags("quiet", quiet);
  flags("disable-content-trust", content_trust);
}

Result<spec::Reference> TransferFlags::reference(Cli& cli, const std::string& text) const {
  auto reference = TRY(spec::Reference::parse(text));
  if (all_tags && !reference.is_name_only()) return base::invalid("tag can't be used with --all-tags/-a");
  if (all_tags || !reference.is_name_only()) return reference;
  reference = reference.with_default_tag();
  if (!quiet) cli.out().line("Using default tag: {}", reference.tag());
  return reference;
}

Result<std::optional<client::RegistryAuth>> registry_auth(Cli& cli, const spec::Reference& reference) {
  using Answer = std::optional<client::RegistryAuth>;
  // Docker Hub's credentials stand under the address of its old index.
  const std::string server =
      reference.domain() == "docker.io" ? "https://index.docker.io/v1/" : reference.domain();
  const auto credentials = TRY(cli.config().credentials(server));
  if (!credentials) return Answer{};
  client::RegistryAuth out;
  out.username = credentials->username;
  out.password = credentials->password;
  out.identity_token = credentials->identity_token;
  out.server_address = server;
  return Answer{std::move(out)};
}

Result<> pull_image(Cli& cli, client::Client& client, const PullRequest& request, Output& progress) {
  client::PullOptions options{.reference = request.reference.name(),
                              .tag = request.reference.tag_or_digest(),
                              .platform = request.platform};
  options.auth = TRY(registry_auth(cli, request.reference));
  auto stream = TRY(client::Images{client}.pull(options));
  if (!request.quiet) return show_progress(progress, stream);
  return wait_for_end(stream);
}

}  // namespace cli
