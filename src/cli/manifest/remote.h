#pragma once
/// Manifests of registries, which the daemon fetches and pushes (docs/adr/012-manifest-commands.md), and the index
/// that is made of them.

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/manifest/store.h"
#include "client/client.h"
#include "spec/engine/registry.h"

namespace cli {

/// A name as the manifest commands take it. Errors: InvalidArgument.
base::Result<spec::Reference> manifest_reference(const std::string& text);

/// Errors: NotFound "no such manifest: x", those of the registry.
base::Result<spec::api::RemoteManifest> fetch_manifest(Cli& cli, const spec::Reference& reference, bool insecure);
/// As the local store has it. Errors: InvalidArgument (a list, an artifact's malformed bytes).
base::Result<ListedManifest> listed(const spec::Reference& reference, const spec::api::RemoteManifest& remote);

/// An index's media type and bytes, equal to docker's to the byte. Errors: InvalidArgument for an entry without
/// system and architecture.
struct MadeIndex {
  std::string media_type, bytes;
};
base::Result<MadeIndex> make_index(const std::vector<ListedManifest>& entries);

}  // namespace cli
