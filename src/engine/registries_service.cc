#include "engine/registries_service.h"

#include <array>
#include <utility>

#include "base/strings.h"
#include "codec/sha256.h"
#include "engine/filters.h"
#include "spec/reference.h"

namespace engine {

using base::Result;

namespace {

Result<std::int64_t> most_stars(const Filters& filters) {
  std::int64_t most = 0;
  for (const auto& value : filter_values(filters, "stars")) {
    const auto stars = base::parse_int(value);
    if (!stars) return base::invalid("invalid filter 'stars=" + value + "'");
    most = std::max(most, *stars);
  }
  return most;
}

/// What the reference names, and the platform of an image's config.
struct Fetched {
  distribution::FetchedManifest manifest;
  std::vector<spec::Platform> platforms;

  [[nodiscard]] spec::Descriptor descriptor() const {
    return spec::Descriptor::of(manifest.media_type, manifest.digest, manifest.bytes.size());
  }
};

Result<Fetched> fetch(distribution::Repository& repository, const spec::Reference& reference,
                      const std::stop_token& stop) {
  Fetched fetched{.manifest = TRY(repository.manifest(reference.tag_or_digest(), stop)), .platforms = {}};
  fetched.manifest.media_type = spec::manifest_media_type(fetched.manifest.bytes, fetched.manifest.media_type);
  if (spec::media::is_index(fetched.manifest.media_type)) {
    for (const auto& entry : TRY(spec::Index::parse(fetched.manifest.bytes)).manifests) {
      if (entry.platform) fetched.platforms.push_back(*entry.platform);
    }
    return fetched;
  }
  // An artifact has no platform; whether it is an image says its config's type.
  const auto manifest = spec::Manifest::parse(fetched.manifest.bytes, fetched.manifest.media_type);
  if (!manifest) {
    const auto json = codec::Json::parse(fetched.manifest.bytes);
    if (json && json->find("config") != nullptr) return fetched;
    return base::Error{manifest.error()};
  }
  const auto config = TRY(repository.read_blob(manifest->config, distribution::kConfigLimit, stop));
  fetched.platforms.push_back(TRY(spec::ImageConfig::parse(config)).platform());
  return fetched;
}

/// Copies one image manifest with its blobs from another repository of the registry. What the registry does not
/// mount goes through here.
Result<> copy_manifest(distribution::Repository& from, distribution::Repository& to, const spec::Reference& source,
                       const std::stop_token& stop) {
  class RemoteBlob final : public distribution::BlobReader {
   public:
    RemoteBlob(distribution::Repository& repository, spec::Descriptor blob, std::stop_token stop)
        : repository_{repository}, blob_{std::move(blob)}, stop_{std::move(stop)} {}
    Result<std::unique_ptr<base::ByteSource>> open(std::uint64_t offset) override {
      return repository_.open_blob(blob_, offset, stop_);
    }

   private:
    distribution::Repository& repository_;
    const spec::Descriptor blob_;
    const std::stop_token stop_;
  };
  const auto fetched = TRY(from.manifest(source.digest().str(), stop));
  const std::string type = spec::manifest_media_type(fetched.bytes, fetched.media_type);
  const auto manifest = TRY(spec::Manifest::parse(fetched.bytes, type));
  std::vector<spec::Descriptor> blobs = manifest.layers;
  blobs.push_back(manifest.config);
  for (const auto& blob : blobs) {
    RemoteBlob reader{from, blob, stop};
    TRY(to.push_blob(blob, {source.path()}, reader, stop, nullptr));
  }
  TRY(to.push_manifest(fetched.digest.str(), type, fetched.bytes, stop));
  return {};
}

/// The client, or one that trusts the registry of `reference` besides.
class ClientFor {
 public:
  ClientFor(distribution::Client& client, const spec::Reference& reference, bool insecure)
      : trusting_{insecure ? client.trusting(reference.domain()) : nullptr},
        client_{trusting_ ? *trusting_ : client} {}
  distribution::Client* operator->() const { return &client_; }

 private:
  const std::unique_ptr<distribution::Client> trusting_;
  distribution::Client& client_;
};

}  // namespace

distribution::Credentials credentials_of(const RegistryAuth& auth) {
  return {.username = auth.username,
          .password = auth.password,
          .identity_token = auth.identity_token,
          .registry_token = auth.registry_token};
}

Result<spec::api::AuthResponse> RegistriesService::log_in(const RegistryAuth& auth, std::stop_token stop) {
  auto token = TRY(client_.log_in(auth.server_address, credentials_of(auth), std::move(stop)));
  return spec::api::AuthResponse{.status = "Login Succeeded", .identity_token = std::move(token)};
}

Result<std::vector<spec::api::SearchResult>> RegistriesService::search(const std::string& term, int limit,
                                                                       const Filters& filters,
                                                                       const RegistryAuth& auth,
                                                                       std::stop_token stop) {
  constexpr std::array<std::string_view, 3> kAllowed = {"is-automated", "is-official", "stars"};
  TRY(check_filters(filters, kAllowed));
  const auto official = TRY(bool_filter(filters, "is-official"));
  const auto automated = TRY(bool_filter(filters, "is-automated"));
  const auto stars = TRY(most_stars(filters));
  std::vector<spec::api::SearchResult> kept;
  for (auto& found : TRY(client_.search(term, limit, credentials_of(auth), std::move(stop)))) {
    // Docker Hub has no automated builds any more: the API says false, and nothing matches true.
    if (automated.value_or(false)) continue;
    if (official && *official != found.official) continue;
    if (found.stars < stars) continue;
    kept.push_back({.star_count = found.stars,
                    .is_official = found.official,
                    .is_automated = false,
                    .name = std::move(found.name),
                    .description = std::move(found.description)});
  }
  return kept;
}

Result<spec::api::DistributionInspect> RegistriesService::inspect(const RemoteName& name, std::stop_token stop) {
  const auto reference = TRY(spec::Reference::parse(name.name)).with_default_tag();
  const ClientFor client{client_, reference, name.insecure};
  const auto repository = TRY(client->open(reference, credentials_of(name.auth), stop));
  auto fetched = TRY(fetch(*repository, reference, stop));
  return spec::api::DistributionInspect{fetched.descriptor(), std::move(fetched.platforms)};
}

Result<spec::api::RemoteManifest> RegistriesService::manifest(const RemoteName& name, std::stop_token stop) {
  const auto reference = TRY(spec::Reference::parse(name.name)).with_default_tag();
  const ClientFor client{client_, reference, name.insecure};
  const auto repository = TRY(client->open(reference, credentials_of(name.auth), stop));
  auto fetched = TRY(fetch(*repository, reference, stop));
  spec::api::RemoteManifest answer{fetched.descriptor(), base::base64(fetched.manifest.bytes)};
  if (!spec::media::is_index(answer.descriptor.media_type) && !fetched.platforms.empty()) {
    answer.descriptor.platform = std::move(fetched.platforms.front());
  }
  return answer;
}

Result<spec::api::IndexPushed> RegistriesService::push_index(const RemoteName& name, const spec::api::IndexPush& push,
                                                             std::stop_token stop) {
  const auto target = TRY(spec::Reference::parse(name.name)).with_default_tag();
  const auto bytes = base::base64_decode(push.raw);
  if (!bytes) return base::invalid("manifest list: malformed base64");
  if (!spec::media::is_index(push.media_type)) {
    return base::invalid("manifest list: unsupported media type " + base::quoted(push.media_type));
  }
  TRY(spec::Index::parse(*bytes));
  std::vector<spec::Reference> sources;
  std::vector<std::string> paths;
  for (const auto& text : push.sources) {
    sources.push_back(TRY(spec::Reference::parse(text)));
    const auto& source = sources.back();
    if (source.digest().empty()) return base::invalid("source " + base::quoted(text) + ": a digest is needed");
    if (source.domain() != target.domain()) {
      return base::invalid("cannot use source images from a different registry than the target image: " +
                           source.domain() + " != " + target.domain());
    }
    if (source.path() != target.path()) paths.push_back(source.path());
  }
  const ClientFor client{client_, target, name.insecure};
  const auto credentials = credentials_of(name.auth);
  const auto repository = TRY(client->open_for_push(target, credentials, paths, stop));
  spec::api::IndexPushed pushed;
  for (const auto& source : sources) {
    if (source.path() == target.path()) continue;
    const auto from = TRY(client->open(source, credentials, stop));
    TRY(copy_manifest(*from, *repository, source, stop).context("copy " + source.familiar()));
    pushed.copied.push_back(source.str());
  }
  pushed.digest = TRY(repository->push_manifest(target.tag_or_digest(), push.media_type, *bytes, stop)).str();
  return pushed;
}

}  // namespace engine
