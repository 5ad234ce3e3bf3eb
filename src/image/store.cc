#include "image/store.h"

#include <utility>

#include "base/log.h"
#include "image/detail/core.h"
#include "image/detail/layer_blob.h"

namespace image {
namespace {

using base::Result;

/// So long an interrupted pull finds its finished layers again after a restart.
constexpr std::chrono::hours kGrace{24};

Result<> check_options(const Options& options) {
  if (options.max_concurrent_downloads < 1)
    return base::invalid("max-concurrent-downloads: must be at least 1");
  if (options.max_concurrent_uploads < 1) return base::invalid("max-concurrent-uploads: must be at least 1");
  return {};
}

}  // namespace

Hold::Hold(Image image, std::unique_ptr<detail::Pin> pin) : image_{std::move(image)}, pin_{std::move(pin)} {}
Hold::Hold(Hold&&) noexcept = default;
Hold& Hold::operator=(Hold&&) noexcept = default;
Hold::~Hold() = default;

Store::Store(std::unique_ptr<detail::Core> core) : core_{std::move(core)} {}
Store::~Store() = default;

distribution::Client& Store::registries() { return *core_->client; }

Result<std::unique_ptr<Store>> Store::open(state::Database& database, content::Store& content,
                                           snapshot::Snapshotter& snapshotter, Options options) {
  TRY(check_options(options));
  auto core = std::make_unique<detail::Core>(database, content, snapshotter, std::move(options));
  core->client = TRY(distribution::Client::create(core->options.registries));
  TRY(detail::remove_unrecorded_snapshots(*core));
  TRY(detail::remove_unused(*core));
  TRY(detail::remove_unused_blobs(*core, kGrace));
  TRY(detail::write_index(*core));
  if (core->options.layer_blobs == LayerBlobs::DropRebuildable && snapshotter.keeps_changes()) {
    core->dropper = std::make_unique<detail::Dropper>(*core);
    core->dropper->wake();
  }
  return std::unique_ptr<Store>{new Store{std::move(core)}};
}

Result<> Store::reconfigure(const Options& options) {
  TRY(check_options(options));
  TRY(core_->client->reconfigure(options.registries));
  core_->downloads.grow(options.max_concurrent_downloads -
                        core_->max_downloads.exchange(options.max_concurrent_downloads));
  core_->max_uploads = options.max_concurrent_uploads;
  return {};
}

void Store::wait_for_drops() {
  if (core_->dropper) core_->dropper->wait();
}

}  // namespace image
