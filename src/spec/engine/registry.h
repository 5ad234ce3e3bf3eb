#pragma once
/// What the API says about registries. Source: the API's swagger, AuthConfig, AuthResponse,
/// ImageSearchResponseItem, DistributionInspect.

#include <optional>
#include <string>
#include <vector>

#include "codec/describe.h"
#include "spec/oci_image.h"

namespace spec::api {

/// The body of POST /auth, and what X-Registry-Auth holds.
struct AuthConfig {
  std::string username, password, auth, server_address, identity_token, registry_token;
};
void describe(auto& v, AuthConfig& a) {
  v.opt("username", a.username);
  v.opt("password", a.password);
  v.opt("auth", a.auth);
  v.opt("serveraddress", a.server_address);
  v.opt("identitytoken", a.identity_token);
  v.opt("registrytoken", a.registry_token);
}

struct AuthResponse {
  std::string status, identity_token;
};
void describe(auto& v, AuthResponse& a) {
  v("IdentityToken", a.identity_token);
  v("Status", a.status);
}

struct SearchResult {
  std::int64_t star_count = 0;
  bool is_official = false, is_automated = false;
  std::string name, description;
};
void describe(auto& v, SearchResult& r) {
  v("star_count", r.star_count);
  v("is_official", r.is_official);
  v("name", r.name);
  v("is_automated", r.is_automated);
  v("description", r.description);
}

struct DistributionInspect {
  Descriptor descriptor;
  std::vector<Platform> platforms;
};
void describe(auto& v, DistributionInspect& d) {
  v("Descriptor", d.descriptor);
  v("Platforms", d.platforms);
}

/// Of this engine only (docs/adr/012-manifest-commands.md): a manifest with its bytes, whose descriptor has the
/// platform that its config says.
struct RemoteManifest {
  Descriptor descriptor;
  std::string raw;  ///< base64
};
void describe(auto& v, RemoteManifest& m) {
  v("Descriptor", m.descriptor);
  v("Raw", m.raw);
}

/// Of this engine only: an index to be pushed. Manifests in other repositories of the same registry are copied
/// to the index's own first.
struct IndexPush {
  std::string media_type;
  std::string raw;                   ///< base64
  std::vector<std::string> sources;  ///< "registry.example/x@sha256:…"
};
void describe(auto& v, IndexPush& p) {
  v("MediaType", p.media_type);
  v("Raw", p.raw);
  v("Sources", p.sources);
}
struct IndexPushed {
  std::string digest;
  std::vector<std::string> copied;  ///< of the sources, those that were copied
};
void describe(auto& v, IndexPushed& p) {
  v("Digest", p.digest);
  v("Copied", p.copied);
}

}  // namespace spec::api
