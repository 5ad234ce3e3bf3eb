#include <array>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/scope_guard.h"
#include "codec/sha256.h"
#include "image/detail/builtin.h"
#include "image/detail/install.h"
#include "image/detail/layer_blob.h"
#include "image/detail/progress.h"
#include "image/detail/tee.h"
#include "image/detail/variants.h"
#include "image/store.h"
#include "sys/crash_point.h"

namespace image {
namespace {

using base::Digest;
using base::Error;
using base::ErrorKind;
using base::Result;
using detail::Core;
using detail::LayerJob;
using detail::Meter;
using detail::Prepared;
using detail::Progress;

std::string short_id(const spec::Descriptor& blob) { return blob.digest().short_hex(); }

/// "Retrying in 5 seconds" beside the layer.
class RetryNotice final : public distribution::RetryObserver {
 public:
  RetryNotice(Progress& progress, std::string id) : progress_{progress}, id_{std::move(id)} {}
  void retrying(std::chrono::seconds delay, const Error& cause) override {
    base::log::warn("layer {}: {}; trying again", id_, cause.message());
    const auto count = delay.count();
    progress_.step(id_, "Retrying in " + std::to_string(count) + (count == 1 ? " second" : " seconds"));
  }

 private:
  Progress& progress_;
  const std::string id_;
};

/// Layers from a registry: downloaded, stored and unpacked as one stream each.
class Downloader final : public detail::LayerMaker {
 public:
  Downloader(Core& core, distribution::Repository& repository, content::Lease& lease, Progress& progress)
      : core_{core}, repository_{repository}, lease_{lease}, progress_{progress} {}

  Result<Prepared> make(const LayerJob& job, const std::stop_token& stop) override;
  void exists(const LayerJob& job) override { progress_.step(short_id(job.blob), "Already exists"); }
  void planned(const LayerJob& job) override { progress_.step(short_id(job.blob), "Pulling fs layer"); }
  void waits(const LayerJob& job) override { progress_.step(short_id(job.blob), "Waiting"); }
  void finished(const LayerJob& job) override { progress_.step(short_id(job.blob), "Pull complete"); }

 private:
  Result<Prepared> from_store(const LayerJob& job);
  Result<Prepared> from_registry(const LayerJob& job, content::Ingest ingest, const std::stop_token& stop);

  Core& core_;
  distribution::Repository& repository_;
  content::Lease& lease_;
  Progress& progress_;
};

Result<Prepared> Downloader::make(const LayerJob& job, const std::stop_token& stop) {
  TRY(core_.downloads.take(stop));
  const base::ScopeGuard free_slot{[this] { core_.downloads.give_back(); }};
  lease_.add(job.blob.digest());
  auto ingest = TRY(core_.content.ingest(job.blob.digest(), job.blob.bytes(), stop));
  if (ingest.complete()) return from_store(job);
  return from_registry(job, std::move(ingest), stop);
}

Result<Prepared> Downloader::from_store(const LayerJob& job) {
  const std::string id = short_id(job.blob);
  progress_.step(id, "Download complete");
  const auto source = TRY(detail::open_layer_blob(core_, job.blob.digest()));
  Meter meter{progress_, id, "Extracting", job.blob.bytes()};
  detail::Tee counted{nullptr, *source, nullptr, &meter};
  auto prepared = TRY(detail::unpack(core_, counted, job));
  meter.finish();
  return prepared;
}

Result<Prepared> Downloader::from_registry(const LayerJob& job, content::Ingest ingest,
                                           const std::stop_token& stop) {
  const std::string id = short_id(job.blob);
  RetryNotice notice{progress_, id};
  Meter meter{progress_, id, "Downloading", job.blob.bytes()};
  const auto written = TRY(ingest.written());
  const auto rest = TRY(repository_.open_blob(job.blob, ingest.offset(), stop, &notice));
  detail::Tee tee{written.get(), *rest, &ingest, &meter};

  auto prepared = detail::unpack(core_, tee, job);
  if (!prepared && !prepared.failed_as(ErrorKind::InvalidArgument)) {
    return prepared;  // what came stays, to be resumed
  }
  // A blob that can't be unpacked is either damaged, which its digest tells, or really like that.
  std::array<char, 65536> ignored{};
  while (TRY(tee.read(ignored)) != 0) {
  }
  meter.finish();
  progress_.step(id, "Verifying Checksum");
  TRY(ingest.commit().context("filesystem layer verification failed for digest " + job.blob.digest_text));
  CRASH_POINT("image.pull.layer");
  if (!prepared) {
    base::ignore(core_.content.remove(job.blob.digest()), "it is collected later");
    return prepared;
  }
  progress_.step(id, "Download complete");
  progress_.step(id, "Extracting", job.blob.bytes(), job.blob.bytes());
  return prepared;
}

struct Remote {
  distribution::FetchedManifest top;  ///< what the reference names: a manifest or an index
  std::vector<spec::Descriptor> attestations;  ///< of the image, in that index
  distribution::FetchedManifest image;
  spec::Manifest manifest;
};

/// Follows indexes down to the manifest for the platform.
Result<Remote> fetch(distribution::Repository& repository, const PullRequest& request,
                     const spec::Platform& platform, const std::stop_token& stop) {
  constexpr int kDeepest = 4;
  Remote remote;
  remote.top = TRY(repository.manifest(request.reference.tag_or_digest(), stop));
  remote.top.media_type = spec::manifest_media_type(remote.top.bytes, remote.top.media_type);
  remote.image = remote.top;
  for (int depth = 0; spec::media::is_index(remote.image.media_type); ++depth) {
    const spec::Index index = TRY(spec::Index::parse(remote.image.bytes));
    const spec::Descriptor* chosen = index.select(platform);
    if (chosen == nullptr || depth == kDeepest) {
      return base::not_found("no matching manifest for " + platform.str() + " in the manifest list entries");
    }
    if (depth == 0) remote.attestations = detail::attestations_of(index, chosen->digest());
    remote.image = TRY(repository.manifest(chosen->digest_text, stop));
    remote.image.media_type = spec::manifest_media_type(remote.image.bytes, remote.image.media_type);
  }
  remote.manifest = TRY(spec::Manifest::parse(remote.image.bytes, remote.image.media_type));
  return remote;
}

Result<> check_platform(const PullRequest& request, const spec::Platform& wanted,
                        const spec::ImageConfig& config) {
  if (request.platform.empty()) return {};
  const spec::Platform got = config.platform();
  if (got.os == wanted.os && got.architecture == wanted.architecture &&
      (wanted.variant.empty() || got.variant == wanted.variant)) {
    return {};
  }
  return base::not_found("image with reference " + request.reference.familiar() +
                         " was found but its platform (" + got.str() +
                         ") does not match the specified platform (" + wanted.str() + ")");
}

/// The index as it came, and what attests the image: small, and worth nothing without it, so that a registry that
/// fails here does not fail the pull.
Result<> keep_index(Core& core, distribution::Repository& repository, const Remote& remote, content::Lease& lease,
                    const std::stop_token& stop) {
  if (!spec::media::is_index(remote.top.media_type)) return {};
  for (const auto* document : {&remote.top, &remote.image}) {
    lease.add(document->digest);
    TRY(core.content.write_blob(document->bytes));
  }
  const auto keep = [&](const spec::Descriptor& descriptor) -> Result<> {
    const auto manifest = TRY(repository.manifest(descriptor.digest_text, stop));
    for (const auto& blob : TRY(detail::blobs_of_manifest(manifest.bytes))) {
      lease.add(blob.digest());
      if (TRY(core.content.has(blob.digest()))) continue;
      TRY(core.content.write_blob(TRY(repository.read_blob(blob, distribution::kConfigLimit, stop))));
    }
    lease.add(manifest.digest);
    TRY(core.content.write_blob(manifest.bytes));
    return {};
  };
  for (const auto& attestation : remote.attestations) {
    if (const auto kept = keep(attestation); !kept) {
      base::log::warn("attestation {}: {}", attestation.digest_text, kept.error().message());
    }
  }
  return {};
}

/// The image that a name of the index stands for: this machine's, where that is here.
Result<Digest> main_image(const Core& core, const Remote& remote, const Digest& pulled) {
  const auto index = TRY(detail::kept_index(core, remote.top.digest));
  if (!index) return pulled;
  const auto* variant = index->find(spec::Platform::host());
  return variant == nullptr ? pulled : variant->image->id;
}

Result<Digest> pull_from(Core& core, distribution::Repository& repository, const PullRequest& request,
                         Progress& progress, const std::stop_token& stop) {
  const auto& reference = request.reference;
  const spec::Platform platform = TRY(spec::Platform::parse(request.platform));
  Remote remote = TRY(fetch(repository, request, platform, stop));
  progress.status("Pulling from " + reference.path(), reference.tag_or_digest());

  auto lease = core.content.lease();
  detail::NewImage image;
  const Digest id = remote.manifest.config.digest();
  lease.add(id);
  if (auto here = core.content.read(id, distribution::kConfigLimit)) {
    image.config_bytes = *std::move(here);
  } else {
    image.config_bytes = TRY(repository.read_blob(remote.manifest.config, distribution::kConfigLimit, stop));
  }
  image.config = TRY(spec::ImageConfig::parse(image.config_bytes));
  TRY(check_platform(request, platform, image.config));
  const auto jobs = TRY(detail::layer_jobs(remote.manifest.layers, image.config));
  const detail::Pin pin{core.board, detail::chain_texts(image.config.diff_ids())};

  const bool known = TRY(core.records.image(id)).has_value();
  Downloader downloader{core, repository, lease, progress};
  struct Quiet final : detail::LayerMaker {
    explicit Quiet(Downloader& inner) : inner_{inner} {}
    Result<Prepared> make(const LayerJob& job, const std::stop_token& token) override {
      return inner_.make(job, token);
    }
    void exists(const LayerJob&) override {}
    void planned(const LayerJob& job) override { inner_.planned(job); }
    void waits(const LayerJob& job) override { inner_.waits(job); }
    void finished(const LayerJob& job) override { inner_.finished(job); }
    Downloader& inner_;
  } quiet{downloader};
  detail::LayerMaker& maker = known ? static_cast<detail::LayerMaker&>(quiet) : downloader;
  TRY(detail::install_layers(core, jobs, maker, core.max_downloads, stop));

  const auto by_digest = reference.with_digest(remote.top.digest);
  const auto before = TRY(core.records.reference((reference.digest().empty() ? reference : by_digest).str()));
  TRY(keep_index(core, repository, remote, lease, stop));
  image.manifest_bytes = std::move(remote.image.bytes);
  image.manifest_media_type = std::move(remote.image.media_type);
  image.manifest = std::move(remote.manifest);
  std::vector<detail::NewReference> names{{by_digest, remote.top.digest}};
  if (reference.digest().empty()) names.push_back({reference, remote.top.digest});
  const Digest named = TRY(main_image(core, remote, id));
  if (named == id) image.references = names;
  TRY(detail::commit_image(core, lease, image));
  if (named != id) {
    for (const auto& name : names) TRY(core.records.set_reference(name, named));
    TRY(detail::write_index(core));
  }
  progress.status("Digest: " + remote.top.digest.str());
  const bool unchanged = before && (before->image_id == id || (known && before->manifest == remote.top.digest));
  progress.status(
      std::string{unchanged ? "Status: Image is up to date for " : "Status: Downloaded newer image for "} +
      reference.familiar());
  return id;
}

}  // namespace

Result<Digest> Store::pull(const PullRequest& request, ProgressSink& sink, std::stop_token stop) {
  Progress progress{sink};
  auto repository = core_->client->open(request.reference, request.credentials, stop);
  if (repository && request.reference.is_name_only()) {
    Digest last;
    for (const auto& tag : TRY((*repository)->tags(stop))) {
      PullRequest one = request;
      one.reference = TRY(request.reference.with_tag(tag));
      // A connection of its own: a mirror may lack one tag and have the next.
      const auto place = TRY(core_->client->open(one.reference, one.credentials, stop));
      last = TRY(pull_from(*core_, *place, one, progress, stop).context(one.reference.familiar()));
    }
    if (last.empty()) return base::not_found("repository " + request.reference.familiar_name() + " has no tags");
    return last;
  }
  if (repository) return pull_from(*core_, **repository, request, progress, stop);
  if (!repository.failed_as(ErrorKind::Unavailable) || stop.stop_requested())
    return std::move(repository.error());
  const auto wanted = request.reference.with_default_tag();
  const auto archive = TRY(detail::find_builtin(*core_, wanted));
  if (archive.empty()) return std::move(repository.error());
  progress.status("Registry unreachable (" + repository.error().message() + "); using the built-in image");
  return detail::load_builtin(*core_, archive, wanted, progress, stop);
}

}  // namespace image
