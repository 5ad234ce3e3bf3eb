#include "engine/images_service.h"

#include <array>

#include "engine/commit_changes.h"
#include "engine/filters.h"
#include "engine/registries_service.h"
#include "spec/reference.h"

namespace engine {

using base::Result;

namespace {

/// The image module's sink as the engine's.
class Forward final : public image::ProgressSink {
 public:
  explicit Forward(engine::ProgressSink& sink) : sink_{sink} {}
  void message(const spec::api::ProgressMessage& message) override { sink_.message(message); }

 private:
  engine::ProgressSink& sink_;
};

}  // namespace

void ImagesService::publish(std::string_view action, const std::string& actor, const std::string& name) {
  events_.publish("image", action, actor, {{"name", name}});
}

Result<std::vector<spec::api::ImageSummary>> ImagesService::list(bool all, const Filters& filters) {
  return store_.list({.all = all, .filters = filters});
}

Result<ImageDiskUsage> ImagesService::disk_usage() {
  auto found = TRY(store_.disk_usage());
  for (auto& image : found.images) {
    const auto id = base::Digest::parse(image.id);
    image.containers = id ? static_cast<std::int64_t>(users_.users_of(*id).size()) : 0;
  }
  return ImageDiskUsage{found.layers, std::move(found.images)};
}

Result<spec::api::ImageInspect> ImagesService::inspect(const std::string& ref) { return store_.inspect(ref); }

Result<std::vector<spec::api::ImageHistoryItem>> ImagesService::history(const std::string& ref) {
  return store_.history(ref);
}

Result<std::vector<spec::api::ImageDeleteItem>> ImagesService::remove(const std::string& ref, bool force,
                                                                      bool no_prune) {
  const auto removed = TRY(store_.remove(ref, force, !no_prune, users_));
  publish_removed(removed);
  return removed.items;
}

void ImagesService::publish_removed(const image::Removed& removed) {
  for (const auto& item : removed.items) {
    if (!item.untagged.empty()) publish("untag", removed.id.str(), removed.id.str());
    if (item.deleted == removed.id.str()) publish("delete", item.deleted, item.deleted);
  }
}

Result<ImagePruneReport> ImagesService::prune(const Filters& filters) {
  constexpr std::array<std::string_view, 4> kAllowed = {"dangling", "until", "label", "label!"};
  TRY(check_filters(filters, kAllowed));
  image::PruneOptions options{.all = !TRY(bool_filter(filters, "dangling")).value_or(true), .filters = filters};
  auto pruned = TRY(store_.prune(options, users_));
  ImagePruneReport report{.items = {}, .bytes = pruned.bytes};
  for (const auto& removed : pruned.removed) {
    publish_removed(removed);
    report.items.insert(report.items.end(), removed.items.begin(), removed.items.end());
  }
  report.items.insert(report.items.end(), pruned.layers.begin(), pruned.layers.end());
  events_.publish("image", "prune", "", {{"reclaimed", std::to_string(pruned.bytes)}});
  return report;
}

Result<> ImagesService::tag(const std::string& ref, const std::string& repository, const std::string& tag) {
  const auto id = TRY(store_.tag(ref, repository, tag));
  // As the user knows it: the store has taken the name, so it parses.
  const auto reference = spec::Reference::parse(repository, tag);
  publish("tag", id.str(), reference ? reference->with_default_tag().familiar() : repository);
  return {};
}

Result<> ImagesService::pull(const PullOptions& options, ProgressSink& progress, std::stop_token stop) {
  const auto reference = TRY(spec::Reference::parse(options.reference, options.tag)).with_default_tag();
  const image::PullRequest request{.reference = reference,
                                   .platform = options.platform,
                                   .credentials = credentials_of(options.auth)};
  Forward forward{progress};
  TRY(store_.pull(request, forward, std::move(stop)));
  publish("pull", reference.familiar(), reference.familiar_name());
  return {};
}

Result<> ImagesService::import(const ImportOptions& options, base::ByteSource& archive, ProgressSink& progress,
                               std::stop_token stop) {
  image::ImportRequest request{.source = options.source,
                               .config = {},
                               .comment = options.message.empty() ? "Imported from " + options.source : options.message,
                               .platform = options.platform,
                               .name = std::nullopt};
  if (!options.repository.empty()) {
    request.name = TRY(spec::Reference::parse(options.repository, options.tag)).with_default_tag();
    if (!request.name->digest().empty()) return base::invalid("cannot import digest reference");
  }
  TRY(apply_changes(request.config, options.changes));
  Forward forward{progress};
  const auto id = TRY(store_.import(request, options.source == "-" ? &archive : nullptr, forward, std::move(stop)));
  publish("import", id.str(), request.name ? request.name->familiar() : id.str());
  return {};
}

Result<> ImagesService::push(const PushOptions& options, ProgressSink& progress, std::stop_token stop) {
  const image::PushRequest request{.reference = TRY(spec::Reference::parse(options.reference, options.tag)),
                                   .platform = options.platform,
                                   .credentials = credentials_of(options.auth)};
  Forward forward{progress};
  for (const auto& pushed : TRY(store_.push(request, forward, std::move(stop)))) {
    const auto reference = TRY(request.reference.with_tag(pushed.tag));
    publish("push", reference.familiar(), reference.familiar_name());
  }
  return {};
}

Result<> ImagesService::load(base::ByteSource& archive, bool quiet, ProgressSink& progress) {
  Forward forward{progress};
  for (const auto& loaded : TRY(store_.load(archive, quiet, forward))) {
    publish("load", loaded.id.str(), loaded.tags.empty() ? loaded.id.str() : loaded.tags.front());
  }
  return {};
}

Result<> ImagesService::save(const std::vector<std::string>& refs, base::ByteSink& archive) {
  TRY(store_.save(refs, archive));
  for (const auto& ref : refs) publish("save", ref, ref);
  return {};
}

}  // namespace engine
