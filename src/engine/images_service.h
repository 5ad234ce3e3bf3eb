#pragma once
/// Images over the `image` module: turns requests into its terms and its changes into events.

#include <memory>

#include "engine/event_bus.h"
#include "engine/images.h"
#include "image/store.h"

namespace engine {

class ImagesService final : public Images {
 public:
  /// The collaborators outlive the service. `users` says which containers were made of an image; `budget` is
  /// what the images may take on the disk, 0 for any amount.
  ImagesService(image::Store& store, const image::ImageUsers& users, EventBus& events, std::uint64_t budget)
      : store_{store}, users_{users}, events_{events}, budget_{budget} {}

  base::Result<std::vector<spec::api::ImageSummary>> list(bool all, const Filters& filters,
                                                          bool manifests) override;
  base::Result<ImageDiskUsage> disk_usage() override;
  base::Result<spec::api::ImageInspect> inspect(const std::string& ref, const ImageInspectOptions& options) override;
  base::Result<std::vector<spec::api::ImageHistoryItem>> history(const std::string& ref,
                                                                 const std::string& platform) override;
  base::Result<std::vector<spec::api::AttestationStatement>> attestations(const std::string& ref,
                                                                          const AttestationOptions& options) override;
  base::Result<std::vector<spec::api::ImageDeleteItem>> remove(const std::string& ref, bool force,
                                                               bool no_prune) override;
  base::Result<ImagePruneReport> prune(const Filters& filters, bool dry_run) override;
  base::Result<spec::api::FsckReport> check(const FsckOptions& options) override;
  base::Result<> tag(const std::string& ref, const std::string& repository, const std::string& tag) override;
  base::Result<> pull(const PullOptions& options, ProgressSink& progress, std::stop_token stop) override;
  base::Result<> import(const ImportOptions& options, base::ByteSource& archive, ProgressSink& progress,
                        std::stop_token stop) override;
  base::Result<> push(const PushOptions& options, ProgressSink& progress, std::stop_token stop) override;
  base::Result<> load(base::ByteSource& archive, bool quiet, ProgressSink& progress,
                      const std::vector<std::string>& platforms) override;
  base::Result<> save(const std::vector<std::string>& refs, base::ByteSink& archive,
                      const std::vector<std::string>& platforms) override;

 private:
  void publish(std::string_view action, const std::string& actor, const std::string& name);

  image::Store& store_;
  const image::ImageUsers& users_;
  EventBus& events_;
  const std::uint64_t budget_;
};

}  // namespace engine
