#include "spec/oci_image.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "codec/sha256.h"

namespace spec {
namespace {

using base::invalid;
using base::Result;

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

Result<> check(const Descriptor& descriptor, const std::string& what) {
  if (auto digest = base::Digest::parse(descriptor.digest_text); !digest) {
    return std::move(digest.error()).context(what);
  }
  if (descriptor.size < 0) return invalid(what + ": negative size");
  return {};
}

/// The microarchitecture levels of amd64 and the versions of arm, as numbers; 0 for unknown.
int variant_level(const Platform& platform) {
  const std::string_view text = platform.variant;
  if (text.empty()) return platform.architecture == "amd64" ? 1 : platform.architecture == "arm64" ? 8 : 0;
  if (text.size() == 2 && text[0] == 'v' && text[1] >= '1' && text[1] <= '9') return text[1] - '0';
  return 0;
}

int host_amd64_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4") != 0) return 4;
  if (__builtin_cpu_supports("x86-64-v3") != 0) return 3;
  if (__builtin_cpu_supports("x86-64-v2") != 0) return 2;
#endif
  return 1;
}

/// The highest variant that `wanted` runs.
int highest_level(const Platform& wanted) {
  if (wanted.architecture == "amd64" && wanted.variant.empty()) return host_amd64_level();
  return variant_level(wanted);
}

std::string normalised_architecture(std::string_view text) {
  if (text == "x86_64" || text == "x86-64") return "amd64";
  if (text == "aarch64") return "arm64";
  if (text == "i386" || text == "i486" || text == "i586" || text == "i686") return "386";
  if (text == "armhf" || text == "armel") return "arm";
  return std::string{text};
}

bool is_platform_component(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace

namespace media {

bool is_index(std::string_view type) { return type == kOciIndex || type == kDockerList; }
bool is_manifest(std::string_view type) { return type == kOciManifest || type == kDockerManifest; }
bool is_image_config(std::string_view type) { return type == kOciConfig || type == kDockerConfig; }

bool is_layer(std::string_view type) {
  static constexpr std::array<std::string_view, 11> kTypes = {
      kOciLayer,
      kOciLayerGzip,
      kOciLayerZstd,
      kDockerLayer,
      kDockerLayerGzip,
      kDockerLayerZstd,
      "application/vnd.oci.image.layer.nondistributable.v1.tar",
      "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
      "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
      "application/vnd.docker.image.rootfs.foreign.diff.tar"};
  return one_of(type, kTypes);
}

}  // namespace media

std::string manifest_media_type(std::string_view bytes, const std::string& said) {
  if (media::is_index(said) || media::is_manifest(said) || said == media::kDockerSchema1 ||
      said == media::kDockerSchema1Signed) {
    return said;
  }
  const auto json = codec::Json::parse(bytes);
  if (!json) return said;
  if (!(*json)["mediaType"].as_string().empty()) return (*json)["mediaType"].as_string();
  if ((*json)["manifests"].is_array()) return std::string{media::kOciIndex};
  return std::string{media::kOciManifest};
}

Platform Platform::host() {
  Platform platform;
  platform.os = "linux";
#if defined(__x86_64__)
  platform.architecture = "amd64";
#elif defined(__aarch64__)
  platform.architecture = "arm64";
#elif defined(__i386__)
  platform.architecture = "386";
#elif defined(__arm__)
  platform.architecture = "arm";
  platform.variant = "v7";
#elif defined(__riscv)
  platform.architecture = "riscv64";
#elif defined(__powerpc64__)
  platform.architecture = "ppc64le";
#elif defined(__s390x__)
  platform.architecture = "s390x";
#else
#error "no OCI name for this architecture"
#endif
  return platform;
}

Result<Platform> Platform::parse(std::string_view text) {
  if (text.empty()) return host();
  const auto parts = base::split(text, '/');
  const auto bad = [&](const std::string& why) {
    return invalid(base::quoted(text) + ": " + why + ": invalid argument");
  };
  if (parts.size() > 3) return bad("unknown operating system or architecture");
  for (const auto part : parts) {
    if (!is_platform_component(part)) {
      return bad(base::quoted(part) + " is an invalid component of " + base::quoted(text) +
                 ": platform specifier component must match \"^[A-Za-z0-9_.-]+$\"");
    }
  }
  Platform platform = host();
  if (parts.size() == 1) {
    const std::string one = normalised_architecture(parts[0]);
    static constexpr std::array<std::string_view, 10> kArchitectures = {
        "amd64", "arm64", "386", "arm", "riscv64", "ppc64le", "s390x", "mips64le", "loong64", "ppc64"};
    if (one_of(one, kArchitectures)) {
      platform.architecture = one;
      platform.variant.clear();
    } else if (one == "linux" || one == "windows") {
      platform.os = one;
    } else {
      return bad("unknown operating system or architecture");
    }
    return platform;
  }
  platform.os = base::to_lower(parts[0]);
  platform.architecture = normalised_architecture(base::to_lower(parts[1]));
  platform.variant = parts.size() == 3 ? std::string{parts[2]} : platform.architecture == "arm" ? "v7" : "";
  if (platform.architecture == "arm64" && platform.variant == "v8") platform.variant.clear();
  if (platform.architecture == "amd64" && platform.variant == "v1") platform.variant.clear();
  return platform;
}

std::string Platform::str() const {
  std::string text = os + "/" + architecture;
  if (!variant.empty()) text += "/" + variant;
  return text;
}

Descriptor Descriptor::of(std::string_view media_type, const base::Digest& digest, std::uint64_t size) {
  Descriptor descriptor;
  descriptor.media_type = media_type;
  descriptor.digest_text = digest.str();
  descriptor.size = static_cast<std::int64_t>(size);
  return descriptor;
}

base::Digest Descriptor::digest() const {
  auto digest = base::Digest::parse(digest_text);
  return digest ? *std::move(digest) : base::Digest{};
}

Result<Manifest> Manifest::parse(std::string_view bytes, std::string_view media_type) {
  const codec::Json json = TRY(codec::Json::parse(bytes).context("image manifest"));
  if (!json.is_object()) return invalid("image manifest: not an object");
  if (json["schemaVersion"].as_int() == 1 || media_type == media::kDockerSchema1 ||
      media_type == media::kDockerSchema1Signed) {
    return invalid(
        "unsupported manifest format: Docker Image manifest version 2, schema 1 is deprecated "
        "and not supported; push the image again with a newer tool");
  }
  Manifest manifest = TRY(codec::from_json<Manifest>(json).context("image manifest"));
  if (manifest.schema_version != 2) {
    return invalid("image manifest: unsupported schema version " + std::to_string(manifest.schema_version));
  }
  const std::string_view type = manifest.media_type.empty() ? media_type : manifest.media_type;
  if (!type.empty() && !media::is_manifest(type)) {
    return invalid("image manifest: unsupported media type " + base::quoted(type));
  }
  if (json.find("config") == nullptr || (json.find("manifests") != nullptr)) {
    return invalid("image manifest: ambiguous or without a config");
  }
  TRY(check(manifest.config, "image manifest: config"));
  if (!media::is_image_config(manifest.config.media_type)) {
    return invalid("Encountered remote " + base::quoted(manifest.config.media_type) +
                   "(unknown) when fetching: this is an artifact, not a container image");
  }
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const std::string what = "image manifest: layer " + std::to_string(i);
    TRY(check(manifest.layers[i], what));
    if (!media::is_layer(manifest.layers[i].media_type)) {
      return invalid(what + ": unsupported media type " + base::quoted(manifest.layers[i].media_type));
    }
  }
  return manifest;
}

std::string Manifest::dump() const { return codec::to_json(*this).dump(); }

Result<Index> Index::parse(std::string_view bytes) {
  Index index = TRY(codec::from_json_text<Index>(bytes).context("image index"));
  if (index.schema_version != 2) {
    return invalid("image index: unsupported schema version " + std::to_string(index.schema_version));
  }
  if (!index.media_type.empty() && !media::is_index(index.media_type)) {
    return invalid("image index: unsupported media type " + base::quoted(index.media_type));
  }
  for (const auto& manifest : index.manifests) TRY(check(manifest, "image index"));
  return index;
}

std::string Index::dump() const { return codec::to_json(*this).dump(); }

const Descriptor* Index::select(const Platform& wanted) const {
  const Descriptor* best = nullptr;
  int best_level = -1;
  for (const auto& manifest : manifests) {
    if (!manifest.platform ||
        !(media::is_manifest(manifest.media_type) || media::is_index(manifest.media_type))) {
      continue;
    }
    const Platform& offered = *manifest.platform;
    if (offered.os != wanted.os || normalised_architecture(offered.architecture) != wanted.architecture)
      continue;
    const int level = variant_level(offered);
    if (level > highest_level(wanted) && offered.variant != wanted.variant) continue;
    if (level > best_level) {
      best = &manifest;
      best_level = level;
    }
  }
  return best;
}

Result<ImageConfig> ImageConfig::parse(std::string_view bytes) {
  codec::Json json = TRY(codec::Json::parse(bytes).context("image config"));
  if (!json.is_object()) return invalid("image config: not an object");
  ImageConfig config = TRY(codec::from_json<ImageConfig>(json).context("image config"));
  if (json.find("rootfs") == nullptr) return invalid("image config: no rootfs: invalid image JSON");
  if (config.rootfs.type != "layers") {
    return invalid("image config: unsupported rootfs type " + base::quoted(config.rootfs.type));
  }
  for (const auto& text : config.rootfs.diff_ids) {
    if (auto digest = base::Digest::parse(text); !digest) {
      return std::move(digest.error()).context("image config: diff_ids");
    }
  }
  config.raw = std::move(json);
  return config;
}

std::string ImageConfig::dump() const {
  codec::Json out = raw;
  codec::Json known = codec::to_json(*this);
  for (auto& [name, value] : known.members()) out.set(name, std::move(value));
  return out.dump();
}

std::vector<base::Digest> ImageConfig::diff_ids() const {
  std::vector<base::Digest> digests;
  digests.reserve(rootfs.diff_ids.size());
  for (const auto& text : rootfs.diff_ids)
    digests.push_back(base::Digest::parse(text).value_or(base::Digest{}));
  return digests;
}

std::vector<base::Digest> chain_ids(const std::vector<base::Digest>& diff_ids) {
  std::vector<base::Digest> chain;
  chain.reserve(diff_ids.size());
  for (const auto& diff : diff_ids) {
    chain.push_back(chain.empty() ? diff : codec::sha256(chain.back().str() + " " + diff.str()));
  }
  return chain;
}

}  // namespace spec
