#include "distribution/detail/repository.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "codec/sha256.h"
#include "distribution/detail/blob_upload.h"
#include "distribution/detail/failure.h"
#include "distribution/detail/parallel_source.h"
#include "distribution/detail/retry.h"

namespace distribution::detail {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::size_t kErrorBody = std::size_t{64} << 10U;

/// Schema 1 is asked for too, last and least, so that a registry that has nothing else says so instead
/// of "unknown": the refusal can then name the reason.
std::vector<std::string> accepted_manifests() {
  std::vector<std::string> headers;
  for (const auto type : {spec::media::kOciIndex, spec::media::kDockerList, spec::media::kOciManifest,
                          spec::media::kDockerManifest}) {
    headers.push_back("Accept: " + std::string{type});
  }
  headers.push_back("Accept: " + std::string{spec::media::kDockerSchema1Signed} + ";q=0.1");
  return headers;
}

std::string media_type_of(std::string_view content_type) {
  return std::string{base::trim(content_type.substr(0, content_type.find(';')))};
}

/// A source that keeps its endpoint and session.
struct Keep {
  std::shared_ptr<Session> session;
  std::shared_ptr<Endpoint> endpoint;
};

/// `<…>; rel="next"` of RFC 8288; "" if there is none.
std::string next_link(std::string_view header) {
  const auto begin = header.find('<');
  const auto end = header.find('>', begin == header.npos ? 0 : begin);
  if (begin == header.npos || end == header.npos || header.find("next", end) == header.npos) return {};
  return std::string{header.substr(begin + 1, end - begin - 1)};
}

Error mismatch(const std::string& what, const std::string& wanted, const base::Digest& got) {
  return base::invalid(what + ": digest mismatch: wanted " + wanted + ", got " + got.str());
}

}  // namespace

Session::Session(Options session_options, spec::Reference session_reference, Credentials session_credentials)
    : options{std::move(session_options)},
      reference{std::move(session_reference)},
      credentials{std::move(session_credentials)},
      trust{options.certs_dir, options.insecure_registries},
      transfers{options.user_agent, Timeouts{options.connect_timeout, options.stall_timeout}} {}

Result<> RegistryRepository::connect(const std::stop_token& stop) {
  const std::scoped_lock lock{mutex_};
  return connect_locked(stop);
}

Result<> RegistryRepository::connect_locked(const std::stop_token& stop) {
  std::optional<Error> failure;
  while (next_place_ < session_->places.size()) {
    const Place& place = session_->places[next_place_++];
    auto endpoint = std::make_shared<Endpoint>(place, session_->transfers, session_->trust,
                                               session_->credentials, session_->reference.path(), session_->scopes);
    auto pinged = endpoint->ping(stop);
    if (pinged) {
      endpoints_.push_back(std::move(endpoint));
      return {};
    }
    if (stop.stop_requested()) return pinged;
    base::log::debug("registry endpoint {}: {}", place.url, pinged.error().message());
    failure = std::move(pinged.error());
  }
  if (!failure) return base::not_found("no place serves " + session_->reference.familiar());
  return *std::move(failure);
}

std::shared_ptr<Endpoint> RegistryRepository::current() const {
  const std::scoped_lock lock{mutex_};
  return endpoints_.back();
}

std::shared_ptr<Endpoint> RegistryRepository::endpoint_after(const Endpoint& failed, const std::stop_token& stop) {
  const std::scoped_lock lock{mutex_};
  // Another layer's thread may have moved on meanwhile.
  if (endpoints_.back().get() != &failed) return endpoints_.back();
  if (!failed.place().mirror || stop.stop_requested() || !connect_locked(stop)) return nullptr;
  return endpoints_.back();
}

Result<Response> RegistryRepository::request_manifest(const std::string& method,
                                                      const std::string& tag_or_digest,
                                                      const std::vector<std::string>& headers,
                                                      std::stop_token stop, const Payload& payload) {
  return request(method, "manifests/" + tag_or_digest, headers, stop, payload);
}

Result<Response> RegistryRepository::request(const std::string& method, const std::string& target,
                                             const std::vector<std::string>& headers, const std::stop_token& stop,
                                             const Payload& payload) {
  Backoff backoff{session_->options};
  for (;;) {
    auto answer = current()->send(method, target, headers, stop, payload);
    std::optional<std::chrono::milliseconds> delay;
    if (answer && !is_transient(answer->status)) return answer;
    if (answer) {
      delay = backoff.next(parse_retry_after(answer->header("retry-after")));
    } else if (answer.failed_as(ErrorKind::Unavailable) && !stop.stop_requested()) {
      delay = backoff.next({});
    }
    if (!delay) return answer;
    if (!wait_out(*delay, stop)) return base::unavailable("context canceled");
  }
}

Result<FetchedManifest> RegistryRepository::fetch_manifest(const std::string& tag_or_digest,
                                                           std::stop_token stop) {
  Response answer = TRY(request_manifest("GET", tag_or_digest, accepted_manifests(), stop));
  if (answer.status != 200) {
    const std::string body = base::read_all(*answer.body, kErrorBody).value_or("");
    return manifest_failure(answer, body, session_->reference);
  }
  FetchedManifest manifest;
  manifest.bytes = TRY(base::read_all(*answer.body, kManifestLimit).context("manifest"));
  manifest.media_type = media_type_of(answer.header("content-type"));
  manifest.digest = codec::sha256(manifest.bytes);
  const std::string what = "manifest verification failed for digest " + tag_or_digest;
  if (const auto wanted = base::Digest::parse(tag_or_digest)) {
    if (wanted->algorithm() != "sha256") return base::not_implemented("digest algorithm of " + tag_or_digest);
    if (*wanted != manifest.digest) return mismatch(what, tag_or_digest, manifest.digest);
  } else if (const auto said = answer.header("docker-content-digest");
             said.starts_with("sha256:") && said != manifest.digest.str()) {
    return mismatch("manifest of " + tag_or_digest, std::string{said}, manifest.digest);
  }
  return manifest;
}

Result<FetchedManifest> RegistryRepository::manifest(const std::string& tag_or_digest, std::stop_token stop) {
  for (;;) {
    auto manifest = fetch_manifest(tag_or_digest, stop);
    if (manifest || stop.stop_requested()) return manifest;
    const auto failed = current();
    if (endpoint_after(*failed, stop) == nullptr) return manifest;
    base::log::info("mirror {}: {}; going on with the next", failed->place().url, manifest.error().message());
  }
}

Result<std::vector<std::string>> RegistryRepository::tags(std::stop_token stop) {
  std::vector<std::string> all;
  std::string target = "tags/list";
  while (!target.empty()) {
    Response answer = TRY(request("GET", target, {}, stop));
    if (answer.status != 200) {
      const std::string body = base::read_all(*answer.body, kErrorBody).value_or("");
      return manifest_failure(answer, body, session_->reference);
    }
    const std::string body = TRY(base::read_all(*answer.body, kManifestLimit).context("tags"));
    const auto json = TRY(codec::Json::parse(body).context("tags of " + session_->reference.familiar_name()));
    for (const auto& tag : json["tags"].as_array()) {
      if (spec::is_tag(tag.as_string())) all.push_back(tag.as_string());
    }
    if (all.size() > kMostTags) {
      return base::invalid("repository " + session_->reference.familiar_name() + " has more than " +
                           std::to_string(kMostTags) + " tags: name one");
    }
    const std::string next = next_link(answer.header("link"));
    target = next.empty() ? next : TRY(resolve_url(answer.url, next));
  }
  return all;
}

Result<std::vector<spec::Descriptor>> RegistryRepository::referrers(const base::Digest& subject,
                                                                    const std::string& artifact_type,
                                                                    std::stop_token stop) {
  std::string query = artifact_type.empty() ? "" : "?artifactType=" + escape(artifact_type);
  Response answer = TRY(request("GET", "referrers/" + subject.str() + query,
                                {"Accept: " + std::string{spec::media::kOciIndex}}, stop));
  if (answer.status == 404 || answer.status == 405 || answer.status == 501) {
    // A registry of before 1.1: clients keep the list under a tag.
    std::string tag = subject.str();
    tag[tag.find(':')] = '-';
    base::ignore(base::read_all(*answer.body, kErrorBody), "nobody wants these bytes");
    answer = TRY(request("GET", "manifests/" + tag, {"Accept: " + std::string{spec::media::kOciIndex}}, stop));
    if (answer.status == 404) return std::vector<spec::Descriptor>{};
  }
  const std::string body = TRY(base::read_all(*answer.body, kManifestLimit).context("referrers"));
  if (answer.status != 200) return manifest_failure(answer, body, session_->reference);
  auto found = TRY(spec::Index::parse(body).context("referrers of " + subject.str())).manifests;
  // The registry need not have filtered.
  std::erase_if(found, [&](const spec::Descriptor& referrer) {
    return !artifact_type.empty() && referrer.artifact_type != artifact_type;
  });
  return found;
}

Result<spec::Descriptor> RegistryRepository::describe_manifest(const std::string& tag_or_digest,
                                                               std::stop_token stop) {
  const Response answer = TRY(request_manifest("HEAD", tag_or_digest, accepted_manifests(), std::move(stop)));
  if (answer.status != 200) return manifest_failure(answer, {}, session_->reference);
  const auto digest = base::Digest::parse(answer.header("docker-content-digest"));
  if (!digest)
    return base::internal("registry did not return a digest for " + session_->reference.familiar());
  return spec::Descriptor::of(media_type_of(answer.header("content-type")), *digest,
                              answer.content_length().value_or(0));
}

Result<std::unique_ptr<base::ByteSource>> RegistryRepository::open_blob(const spec::Descriptor& blob,
                                                                        std::uint64_t offset,
                                                                        std::stop_token stop,
                                                                        RetryObserver* observer) {
  for (auto endpoint = current();;) {
    auto keep = std::make_shared<Keep>(Keep{session_, endpoint});
    auto source = open_source(std::move(keep), *endpoint, session_->options, blob, offset, stop, observer);
    if (source) return source;
    auto next = endpoint_after(*endpoint, stop);
    if (next == nullptr) return source;
    base::log::info("mirror {}: {}; going on with the next", endpoint->place().url, source.error().message());
    endpoint = std::move(next);
  }
}

Result<std::string> RegistryRepository::read_blob(const spec::Descriptor& blob, std::size_t limit,
                                                  std::stop_token stop) {
  if (blob.bytes() > limit) {
    return base::invalid("blob " + blob.digest_text + ": " + std::to_string(blob.size) +
                         " bytes are more than the " + std::to_string(limit) + " that are taken");
  }
  const auto source = TRY(open_blob(blob, 0, std::move(stop), nullptr));
  std::string bytes = TRY(base::read_all(*source, limit));
  const base::Digest digest = codec::sha256(bytes);
  if (digest != blob.digest()) return mismatch("blob", blob.digest_text, digest);
  return bytes;
}

Result<PushedBlob> RegistryRepository::push_blob(const spec::Descriptor& blob,
                                                 const std::vector<std::string>& mount_from,
                                                 BlobReader& reader, std::stop_token stop,
                                                 PushObserver* observer) {
  const auto endpoint = current();
  BlobUpload upload{*endpoint, session_->options, blob, reader, std::move(stop), observer};
  return upload.run(mount_from);
}

Result<base::Digest> RegistryRepository::push_manifest(const std::string& tag_or_digest,
                                                       const std::string& media_type,
                                                       const std::string& bytes, std::stop_token stop) {
  const std::vector<std::string> headers{"Content-Type: " + media_type};
  const Response answer =
      TRY(request_manifest("PUT", tag_or_digest, headers, std::move(stop), {.body = bytes}));
  if (answer.status != 201) {
    const std::string body = base::read_all(*answer.body, kErrorBody).value_or("");
    return status_failure(answer, body);
  }
  base::Digest digest = codec::sha256(bytes);
  if (const auto said = answer.header("docker-content-digest"); said.starts_with("sha256:") && said != digest.str()) {
    return base::internal("the registry stored manifest " + digest.str() + " as " + std::string{said});
  }
  return digest;
}

}  // namespace distribution::detail
