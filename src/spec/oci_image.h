#pragma once
/// Manifests, indexes and configs of images: OCI's form and docker's, which differ in media types only.
///
/// The `parse_…` functions check what others rely on: digests are well-formed, sizes not negative,
/// the layers of manifest and config fit. Errors: InvalidArgument.
/// Source: OCI image specification 1.1 (descriptor.md, manifest.md, image-index.md, config.md);
/// distribution's "Image Manifest Version 2, Schema 2".

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "codec/describe.h"
#include "spec/engine/container.h"

namespace spec {

namespace media {
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kDockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view kDockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";
inline constexpr std::string_view kDockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";
inline constexpr std::string_view kDockerSchema1Signed =
    "application/vnd.docker.distribution.manifest.v1+prettyjws";

[[nodiscard]] bool is_index(std::string_view media_type);
[[nodiscard]] bool is_manifest(std::string_view media_type);
[[nodiscard]] bool is_image_config(std::string_view media_type);
/// A tar layer, compressed or not, foreign ("non-distributable") ones too.
[[nodiscard]] bool is_layer(std::string_view media_type);
}  // namespace media

/// The media type of a manifest or index whose transport called it `said`: that, unless it says nothing of use;
/// then the document's own.
[[nodiscard]] std::string manifest_media_type(std::string_view bytes, const std::string& said);

struct Platform {
  std::string architecture, os, os_version, variant;
  std::vector<std::string> os_features;

  /// "linux/arm64/v8". Missing parts are this machine's; an empty text is this machine's platform.
  static base::Result<Platform> parse(std::string_view text);
  /// What this program was built for and runs on.
  static Platform host();
  [[nodiscard]] std::string str() const;
};
void describe(auto& v, Platform& p) {
  v("architecture", p.architecture);
  v("os", p.os);
  v.opt("os.version", p.os_version);
  v.opt("os.features", p.os_features);
  v.opt("variant", p.variant);
}

struct Descriptor {
  std::string media_type;
  std::string digest_text;  ///< as it stands in the document; `digest()` for use
  std::int64_t size = 0;
  std::vector<std::string> urls;
  std::map<std::string, std::string> annotations;
  std::optional<Platform> platform;
  std::string artifact_type;

  static Descriptor of(std::string_view media_type, const base::Digest& digest, std::uint64_t size);
  /// Empty when the text is none; never so in a document that was parsed here.
  [[nodiscard]] base::Digest digest() const;
  [[nodiscard]] std::uint64_t bytes() const { return static_cast<std::uint64_t>(size); }
};
void describe(auto& v, Descriptor& d) {
  v("mediaType", d.media_type);
  v("digest", d.digest_text);
  v("size", d.size);
  v.opt("urls", d.urls);
  v.opt("annotations", d.annotations);
  v.opt("platform", d.platform);
  v.opt("artifactType", d.artifact_type);
}

struct Manifest {
  int schema_version = 2;
  std::string media_type;  ///< may be empty in OCI's form
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations;

  /// `media_type` as the transport gave it, "" if it did not. Errors name what is wrong; schema 1 and
  /// artifacts that are no image are refused.
  static base::Result<Manifest> parse(std::string_view bytes, std::string_view media_type = {});
  [[nodiscard]] std::string dump() const;
};
void describe(auto& v, Manifest& m) {
  v("schemaVersion", m.schema_version);
  v.opt("mediaType", m.media_type);
  v("config", m.config);
  v("layers", m.layers);
  v.opt("annotations", m.annotations);
}

struct Index {
  int schema_version = 2;
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations;

  static base::Result<Index> parse(std::string_view bytes);
  [[nodiscard]] std::string dump() const;
  /// The manifest that runs best on `wanted`: same system and architecture, the highest variant that
  /// it can run. nullptr if there is none.
  [[nodiscard]] const Descriptor* select(const Platform& wanted) const;
};
void describe(auto& v, Index& i) {
  v("schemaVersion", i.schema_version);
  v.opt("mediaType", i.media_type);
  v("manifests", i.manifests);
  v.opt("annotations", i.annotations);
}

struct HistoryEntry {
  std::string created, created_by, author, comment;
  bool empty_layer = false;
};
void describe(auto& v, HistoryEntry& h) {
  v.opt("created", h.created);
  v.opt("created_by", h.created_by);
  v.opt("author", h.author);
  v.opt("comment", h.comment);
  v.opt("empty_layer", h.empty_layer);
}

struct ConfigRootFs {
  std::string type = "layers";
  std::vector<std::string> diff_ids;
};
void describe(auto& v, ConfigRootFs& r) {
  v("type", r.type);
  v("diff_ids", r.diff_ids);
}

/// An image's config. `raw` is the whole document, so that members which this program does not know
/// survive a commit or a build step (`dump` puts the known ones over it).
struct ImageConfig {
  std::string created, author, architecture, variant, os, os_version;
  api::ContainerConfig config;
  ConfigRootFs rootfs;
  std::vector<HistoryEntry> history;
  std::string comment, docker_version, parent;
  codec::Json raw;

  static base::Result<ImageConfig> parse(std::string_view bytes);
  [[nodiscard]] std::string dump() const;
  [[nodiscard]] std::vector<base::Digest> diff_ids() const;
  [[nodiscard]] Platform platform() const { return {architecture, os, os_version, variant, {}}; }
};
void describe(auto& v, ImageConfig& c) {
  v.opt("created", c.created);
  v.opt("author", c.author);
  v("architecture", c.architecture);
  v.opt("variant", c.variant);
  v("os", c.os);
  v.opt("os.version", c.os_version);
  v("config", c.config);
  v("rootfs", c.rootfs);
  v.opt("history", c.history);
  v.opt("comment", c.comment);
  v.opt("docker_version", c.docker_version);
  v.opt("parent", c.parent);
}

/// chain(0) = diff(0); chain(n) = sha256(chain(n-1) + " " + diff(n)): one for each layer.
[[nodiscard]] std::vector<base::Digest> chain_ids(const std::vector<base::Digest>& diff_ids);

}  // namespace spec
