#include "cli/manifest/remote.h"

#include "base/strings.h"
#include "cli/pull.h"
#include "client/registries.h"

namespace cli {

using base::Result;
using codec::Json;

Result<spec::Reference> manifest_reference(const std::string& text) {
  return TRY(spec::Reference::parse(text)).with_default_tag();
}

Result<spec::api::RemoteManifest> fetch_manifest(Cli& cli, const spec::Reference& reference, bool insecure) {
  const auto auth = TRY(registry_auth(cli, reference));
  client::Client& client = *TRY(cli.client());
  auto manifest = client::Registries{client}.manifest(reference.str(), insecure, auth);
  if (manifest.failed_as(base::ErrorKind::NotFound)) {
    return base::not_found("no such manifest: " + list_name(reference));
  }
  return manifest;
}

Result<ListedManifest> listed(const spec::Reference& reference, const spec::api::RemoteManifest& remote) {
  if (spec::media::is_index(remote.descriptor.media_type)) {
    return base::invalid(list_name(reference) + " is a manifest list");
  }
  const auto bytes = base::base64_decode(remote.raw);
  if (!bytes) return base::internal("the daemon sent a malformed manifest of " + list_name(reference));
  ListedManifest entry{.ref = list_name(reference), .descriptor = remote.descriptor, .raw = remote.raw, .docker = {}, .oci = {}};
  auto json = TRY(Json::parse(*bytes).context("manifest of " + list_name(reference)));
  (remote.descriptor.media_type == spec::media::kDockerManifest ? entry.docker : entry.oci) = std::move(json);
  return entry;
}

Result<MadeIndex> make_index(const std::vector<ListedManifest>& entries) {
  const bool oci = !entries.empty() && entries.front().descriptor.media_type == spec::media::kOciManifest;
  MadeIndex index{.media_type = std::string{oci ? spec::media::kOciIndex : spec::media::kDockerList}, .bytes = {}};
  Json manifests{Json::Array{}};
  for (const auto& entry : entries) {
    const auto& platform = entry.descriptor.platform;
    if (!platform || platform->architecture.empty() || platform->os.empty()) {
      return base::invalid("manifest " + entry.ref + " must have an OS and Architecture to be pushed to a registry");
    }
    manifests.push(Json::object({{"mediaType", entry.descriptor.media_type},
                                 {"size", entry.descriptor.size},
                                 {"digest", entry.descriptor.digest_text},
                                 {"platform", codec::to_json(*platform)}}));
  }
  const auto json = Json::object(
      {{"schemaVersion", 2}, {"mediaType", index.media_type}, {"manifests", std::move(manifests)}});
  // The form that docker's client has always written: the same list has the same digest from either.
  constexpr std::size_t kIndentation = 3;
  index.bytes = json.dump_pretty(kIndentation);
  return index;
}

}  // namespace cli
