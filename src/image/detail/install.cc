#include "image/detail/install.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/strings.h"
#include "codec/sha256.h"
#include "image/detail/layer_blob.h"
#include "layer/apply.h"
#include "sys/crash_point.h"

namespace image::detail {
namespace {

using base::Digest;
using base::Error;
using base::Result;

/// Docker ends at 125; more than this is no image but an attempt to exhaust something.
constexpr std::size_t kMostLayers = 500;

/// There for good: a committed snapshot and its record, and its blob or what makes it again. Otherwise it is
/// made once more, which heals what was damaged from outside.
Result<bool> is_present(Core& core, const std::string& chain_id) {
  const auto layer = TRY(core.records.layer(chain_id));
  if (!layer || !TRY(core.snapshotter.has(chain_id))) return false;
  return has_layer_blob(core, layer->blob);
}

/// One call of install_layers.
class Installation {
 public:
  Installation(Core& core, const std::vector<LayerJob>& jobs, LayerMaker& maker, int parallel,
               const std::stop_token& stop)
      : core_{core}, jobs_{jobs}, maker_{maker}, parallel_{parallel}, stop_{stop}, claims_{core.board} {}

  Result<> run();

 private:
  /// Claims what nobody makes. The jobs that are to be made here.
  Result<std::vector<const LayerJob*>> look_around(bool first);
  Result<> make_all(const std::vector<const LayerJob*>& mine);
  /// Commits the layers whose parents are there.
  Result<> commit_possible();
  [[nodiscard]] bool all_present() const { return present_.size() == distinct_; }

  Core& core_;
  const std::vector<LayerJob>& jobs_;
  LayerMaker& maker_;
  const int parallel_;
  const std::stop_token& stop_;
  Claims claims_;
  std::set<std::string> present_;
  std::size_t distinct_ = 0;
  std::mutex mutex_;                          // over prepared_ and failure_, while layers are made
  std::map<std::string, Prepared> prepared_;  // by chain id
  std::optional<Error> failure_;
};

Result<std::vector<const LayerJob*>> Installation::look_around(bool first) {
  std::vector<const LayerJob*> mine;
  std::set<std::string> seen;
  for (const auto& job : jobs_) {
    seen.insert(job.chain_id);
    if (present_.contains(job.chain_id) || claims_.has(job.chain_id)) continue;
    // Claim before looking: a layer that another pull commits in between is then seen as present.
    const bool claimed = claims_.take(job.chain_id);
    if (TRY(is_present(core_, job.chain_id))) {
      if (claimed) claims_.give_back(job.chain_id);
      present_.insert(job.chain_id);
      if (first) {
        maker_.exists(job);
      } else {
        maker_.finished(job);
      }
      continue;
    }
    if (first) maker_.planned(job);
    if (claimed) mine.push_back(&job);
  }
  distinct_ = seen.size();
  return mine;
}

Result<> Installation::make_all(const std::vector<const LayerJob*>& mine) {
  if (mine.empty()) return {};
  std::stop_source failed;
  const std::stop_callback pass_on{stop_, [&] { failed.request_stop(); }};
  const std::stop_token either = failed.get_token();
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < mine.size() && !either.stop_requested(); i = next++) {
      auto prepared = maker_.make(*mine[i], either);
      const std::scoped_lock lock{mutex_};
      if (prepared) {
        prepared_.emplace(mine[i]->chain_id, *std::move(prepared));
      } else {
        // The first failure is the cause; those after it are what its cancellation did to the others.
        if (!failure_) failure_ = std::move(prepared.error());
        failed.request_stop();
      }
    }
  };
  const std::size_t workers = std::min(mine.size(), static_cast<std::size_t>(std::max(parallel_, 1)));
  for (std::size_t i = workers; i < mine.size(); ++i) maker_.waits(*mine[i]);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < workers; ++i) threads.emplace_back(work);
    work();
  }
  if (failure_) return *std::move(failure_);
  if (stop_.stop_requested()) return base::unavailable("context canceled");
  return {};
}

Result<> Installation::commit_possible() {
  std::vector<snapshot::NewLayer> layers;
  std::vector<LayerRecord> records;
  std::vector<const LayerJob*> committed;
  std::set<std::string> there = present_;
  for (const auto& job : jobs_) {
    const auto it = prepared_.find(job.chain_id);
    if (it == prepared_.end() || !(job.parent.empty() || there.contains(job.parent))) continue;
    there.insert(job.chain_id);
    layers.push_back({std::move(it->second.staging), job.chain_id, job.parent, it->second.describes_root});
    records.push_back(std::move(it->second.record));
    committed.push_back(&job);
    prepared_.erase(it);
  }
  if (layers.empty()) return {};
  CRASH_POINT("image.install.unpacked");
  TRY(core_.snapshotter.commit(std::move(layers)).context("commit layers"));
  CRASH_POINT("image.install.committed");
  TRY(core_.records.add_layers(records).context("record layers"));
  for (const auto* job : committed) {
    present_.insert(job->chain_id);
    maker_.finished(*job);
    claims_.give_back(job->chain_id);
  }
  return {};
}

Result<> Installation::run() {
  for (bool first = true;; first = false) {
    const auto seen = core_.board.generation();
    const auto mine = TRY(look_around(first));
    TRY(make_all(mine));
    TRY(commit_possible());
    if (all_present()) return {};
    // What is missing is in the hands of another pull; when it gives up, the next round claims it.
    if (core_.board.generation() == seen) TRY(core_.board.wait_for_change(seen, stop_));
  }
}

bool names_these_blobs(const spec::Manifest& manifest, const std::vector<LayerRecord>& layers) {
  return std::equal(
      manifest.layers.begin(), manifest.layers.end(), layers.begin(), layers.end(),
      [](const auto& descriptor, const auto& layer) { return descriptor.digest() == layer.blob; });
}

}  // namespace

spec::Manifest manifest_of(const std::vector<LayerRecord>& layers, const Digest& id,
                           std::size_t config_size) {
  spec::Manifest manifest;
  manifest.media_type = spec::media::kOciManifest;
  manifest.config = spec::Descriptor::of(spec::media::kOciConfig, id, config_size);
  for (const auto& layer : layers) {
    manifest.layers.push_back(spec::Descriptor::of(layer.blob_media_type, layer.blob, layer.blob_size));
  }
  return manifest;
}

Result<std::vector<LayerJob>> layer_jobs(const std::vector<spec::Descriptor>& blobs,
                                         const spec::ImageConfig& config) {
  const auto diff_ids = config.diff_ids();
  if (diff_ids.size() > kMostLayers) {
    return base::invalid("invalid image: max depth exceeded: " + std::to_string(diff_ids.size()) + " layers");
  }
  if (diff_ids.size() != blobs.size()) {
    return base::invalid("invalid image: " + std::to_string(blobs.size()) + " layers, but the config names " +
                         std::to_string(diff_ids.size()));
  }
  const auto chain_ids = spec::chain_ids(diff_ids);
  std::vector<LayerJob> jobs;
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    jobs.push_back(
        {blobs[i], diff_ids[i], chain_ids[i].str(), i == 0 ? std::string{} : chain_ids[i - 1].str()});
  }
  return jobs;
}

Result<Prepared> unpack(Core& core, base::ByteSource& blob, const LayerJob& job) {
  auto staging = TRY(core.snapshotter.stage());
  const auto applied = TRY(layer::apply(blob, staging.dir()).context("failed to register layer"));
  if (applied.diff_id != job.diff_id) {
    return base::invalid("failed to register layer: wrong diff id: the config says " + job.diff_id.str() +
                         ", the layer has " + applied.diff_id.str());
  }
  LayerRecord record;
  record.chain_id = job.chain_id;
  record.diff_id = job.diff_id;
  record.parent = job.parent;
  record.blob = job.blob.digest();
  record.blob_media_type = job.blob.media_type;
  record.blob_size = job.blob.bytes();
  record.tar_size = applied.tar_bytes;
  record.size = applied.content_bytes;
  return Prepared{std::move(staging), std::move(record), applied.describes_root};
}

Result<> install_layers(Core& core, const std::vector<LayerJob>& jobs, LayerMaker& maker, int parallel,
                        const std::stop_token& stop) {
  return Installation{core, jobs, maker, parallel, stop}.run();
}

Result<Digest> commit_image(Core& core, content::Lease& lease, const NewImage& image) {
  const Digest id = codec::sha256(image.config_bytes);
  lease.add(id);
  TRY(core.content.write_blob(image.config_bytes));

  std::vector<LayerRecord> layers;
  std::uint64_t size = 0;
  const auto chain_ids = chain_texts(image.config.diff_ids());
  for (const auto& chain_id : chain_ids) {
    auto layer = TRY(core.records.layer(chain_id));
    if (!layer) return base::internal("layer " + chain_id + " is not recorded");
    size += layer->size;
    layers.push_back(*std::move(layer));
  }

  ImageRecord record;
  record.id = id;
  record.size = size;
  record.stored = base::now();
  record.media_type = image.manifest_media_type;
  std::string manifest_bytes = image.manifest_bytes;
  if (manifest_bytes.empty() || !names_these_blobs(image.manifest, layers)) {
    manifest_bytes = manifest_of(layers, id, image.config_bytes.size()).dump();
    record.media_type = spec::media::kOciManifest;
  }
  record.manifest = codec::sha256(manifest_bytes);
  record.summary = {image.config.created, image.config.architecture,
                    image.config.os,      image.config.variant,
                    image.config.parent,  image.config.config.labels.value_or(spec::api::Labels{})};

  const auto write_manifest = [&]() -> Result<> {
    lease.add(record.manifest);
    TRY(core.content.write_blob(manifest_bytes));
    return {};
  };
  const bool known_before = TRY(core.records.image(id)).has_value();
  if (!known_before) TRY(write_manifest());
  CRASH_POINT("image.commit.blobs");
  {
    // Deleting takes this lock, too: an image that is known now keeps its manifest until it is released.
    const std::scoped_lock lock{core.names_mutex};
    if (const auto known = TRY(core.records.image(id))) {
      record.manifest = known->manifest;
      lease.add(record.manifest);
    } else if (known_before) {
      TRY(write_manifest());
    }
    auto references = image.references;
    for (auto& reference : references) {
      if (reference.manifest.empty()) reference.manifest = record.manifest;
    }
    TRY(core.records.add_image(record, chain_ids, references).context("record image"));
  }
  CRASH_POINT("image.commit.recorded");
  TRY(write_index(core));
  return id;
}

}  // namespace image::detail
