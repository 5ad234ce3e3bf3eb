#pragma once
/// From an image's description to its layers on disk, and then to its record.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "image/detail/core.h"

namespace image::detail {

struct LayerJob {
  spec::Descriptor blob;
  base::Digest diff_id;
  std::string chain_id;
  std::string parent;  ///< chain id, "" for the lowest
};
/// One job per layer, the lowest first. Errors: InvalidArgument (manifest and config don't fit).
base::Result<std::vector<LayerJob>> layer_jobs(const std::vector<spec::Descriptor>& blobs,
                                               const spec::ImageConfig& config);

/// A layer that is unpacked but not committed.
struct Prepared {
  snapshot::Staging staging;
  LayerRecord record;
  bool describes_root = false;
};

/// Where layers come from, and who is told. Called from several threads at once, for different jobs.
class LayerMaker {
 public:
  virtual ~LayerMaker() = default;
  virtual base::Result<Prepared> make(const LayerJob& job, const std::stop_token& stop) = 0;
  virtual void exists(const LayerJob& job) = 0;   ///< it is there already
  virtual void planned(const LayerJob& job) = 0;  ///< it will be made, here or by another pull
  virtual void waits(const LayerJob& job) = 0;    ///< not at once
  virtual void finished(const LayerJob& job) = 0;
};

/// Unpacks `blob` into a new staging area and checks what came out against the job.
/// Errors: InvalidArgument (malformed, or another diff id).
base::Result<Prepared> unpack(Core& core, base::ByteSource& blob, const LayerJob& job);

/// All layers are there and recorded when this returns; the caller has them pinned. Up to `parallel`
/// are made at once; a layer that another pull is making is waited for.
base::Result<> install_layers(Core& core, const std::vector<LayerJob>& jobs, LayerMaker& maker, int parallel,
                              const std::stop_token& stop);

/// Names what is kept of an image, whatever it came with: the same content, perhaps other blobs.
[[nodiscard]] spec::Manifest manifest_of(const std::vector<LayerRecord>& layers, const base::Digest& id,
                                         std::size_t config_size);

struct NewImage {
  std::string config_bytes;
  spec::ImageConfig config;
  std::string manifest_bytes;  ///< "" : none came with it
  spec::Manifest manifest;
  std::string manifest_media_type;
  std::vector<NewReference> references;  ///< an empty digest stands for that of the layout's manifest
};
/// Writes config and manifest and commits the record; the layers are installed and pinned. Where the
/// layers are kept with other blobs than the manifest names (the same content was loaded before with
/// another compression), a manifest of what is there takes its place in the layout. The image's id.
base::Result<base::Digest> commit_image(Core& core, content::Lease& lease, const NewImage& image);

}  // namespace image::detail
