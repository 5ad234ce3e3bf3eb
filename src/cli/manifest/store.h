#pragma once
/// Manifest lists that are being put together: docker's own folder and files, so that either client goes on with
/// what the other began.
///
///   <config>/manifests/<list>/<manifest>     names with '/' as '_' and ':' as '-'
///
/// A file is {"Ref": …, "Descriptor": …, "Raw": base64, "OCIManifest" or "SchemaV2Manifest": …}.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/cli.h"
#include "codec/describe.h"
#include "spec/oci_image.h"
#include "spec/reference.h"

namespace cli {

/// One image of a list.
struct ListedManifest {
  std::string ref;  ///< whole
  spec::Descriptor descriptor;
  std::string raw;  ///< base64
  codec::Json docker, oci;  ///< the manifest itself, in the one that is its kind

  [[nodiscard]] const codec::Json& manifest() const { return oci.is_null() ? docker : oci; }
};
void describe(auto& v, ListedManifest& m) {
  v("Ref", m.ref);
  v("Descriptor", m.descriptor);
  v.opt("Raw", m.raw);
  v.opt("SchemaV2Manifest", m.docker);
  v.opt("OCIManifest", m.oci);
}

class ManifestStore {
 public:
  explicit ManifestStore(const Cli& cli) : root_{cli.options().config + "/manifests"} {}

  /// In the order of their files' names; empty where there is no such list.
  base::Result<std::vector<ListedManifest>> list(const spec::Reference& list) const;
  base::Result<std::optional<ListedManifest>> get(const spec::Reference& list, const spec::Reference& manifest) const;
  base::Result<> put(const spec::Reference& list, const spec::Reference& manifest, const ListedManifest& entry) const;
  /// Errors: NotFound "No such manifest: x".
  base::Result<> remove(const spec::Reference& list) const;

 private:
  [[nodiscard]] std::string folder(const spec::Reference& list) const;

  const std::string root_;
};

/// docker's names for lists and manifests in messages and files: "docker.io/library/x:1".
[[nodiscard]] std::string list_name(const spec::Reference& reference);

}  // namespace cli
