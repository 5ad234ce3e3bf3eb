#include "engine/images_service.h"

#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "engine/commit_changes.h"
#include "engine/filters.h"
#include "engine/image_budget.h"
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

Result<std::vector<spec::api::ImageSummary>> ImagesService::list(bool all, const Filters& filters, bool manifests) {
  return store_.list({.all = all, .manifests = manifests, .users = &users_, .filters = filters});
}

Result<ImageDiskUsage> ImagesService::disk_usage() {
  auto found = TRY(store_.disk_usage());
  for (auto& image : found.images) {
    const auto id = base::Digest::parse(image.id);
    image.containers = id ? static_cast<std::int64_t>(users_.users_of(*id).size()) : 0;
  }
  const auto space = TRY(store_.disk_space());
  return ImageDiskUsage{space.blobs + space.ingests + space.layers, std::move(found.images)};
}

Result<spec::api::ImageInspect> ImagesService::inspect(const std::string& ref, const ImageInspectOptions& options) {
  return store_.inspect(ref, {.platform = options.platform, .manifests = options.manifests, .users = &users_});
}

Result<std::vector<spec::api::ImageHistoryItem>> ImagesService::history(const std::string& ref,
                                                                        const std::string& platform) {
  return store_.history(ref, platform);
}

Result<std::vector<spec::api::AttestationStatement>> ImagesService::attestations(const std::string& ref,
                                                                                 const AttestationOptions& options) {
  return store_.attestations(ref, {.platform = options.platform, .types = options.types, .statement = options.statement});
}

Result<std::vector<spec::api::ImageDeleteItem>> ImagesService::remove(const std::string& ref, bool force,
                                                                      bool no_prune) {
  const auto removed = TRY(store_.remove(ref, force, !no_prune, users_));
  publish_removed(events_, removed);
  return removed.items;
}

namespace {

/// One value of a filter that takes only one.
Result<std::string> single(const Filters& filters, std::string_view name) {
  const auto& values = filter_values(filters, name);
  if (values.size() > 1) return base::invalid(fmt::format("more than one {} filter specified", name));
  return values.empty() ? std::string{} : values.front();
}

Result<image::PruneOptions> prune_options(Filters filters) {
  constexpr std::array<std::string_view, 6> kAllowed = {"dangling", "until", "label", "label!", "keep-last", "unused-for"};
  TRY(check_filters(filters, kAllowed));
  image::PruneOptions options;
  const auto dangling = TRY(bool_filter(filters, "dangling"));
  if (const auto text = TRY(single(filters, "keep-last")); !text.empty()) {
    const auto count = base::parse_uint(text);
    if (!count || *count == 0) return base::invalid("invalid filter 'keep-last=" + text + "': want a number above 0");
    options.keep_last = *count;
  }
  if (const auto text = TRY(single(filters, "unused-for")); !text.empty()) {
    const auto duration = base::parse_duration(text);
    if (!duration || *duration <= std::chrono::nanoseconds{0})
      return base::invalid("invalid filter 'unused-for=" + text + "': want a duration such as 720h");
    options.unused_for = std::chrono::ceil<std::chrono::seconds>(*duration);
  }
  // Only tagged images stand in a repository.
  options.all = dangling ? !*dangling : options.keep_last != 0;
  filters.erase("keep-last");
  filters.erase("unused-for");
  options.filters = std::move(filters);
  return options;
}

}  // namespace

Result<ImagePruneReport> ImagesService::prune(const Filters& filters, bool dry_run) {
  auto options = TRY(prune_options(filters));
  options.dry_run = dry_run;
  auto pruned = TRY(store_.prune(options, users_));
  ImagePruneReport report{.items = {}, .bytes = pruned.bytes};
  for (const auto& removed : pruned.removed) {
    if (!dry_run) publish_removed(events_, removed);
    report.items.insert(report.items.end(), removed.items.begin(), removed.items.end());
  }
  report.items.insert(report.items.end(), pruned.layers.begin(), pruned.layers.end());
  if (!dry_run) events_.publish("image", "prune", "", {{"reclaimed", std::to_string(pruned.bytes)}});
  return report;
}

Result<spec::api::FsckReport> ImagesService::check(const FsckOptions& options) {
  auto found = TRY(store_.check({.repair = options.repair, .quick = options.quick, .grace = options.grace}, users_));
  spec::api::FsckReport report{.findings = {},
                               .images = found.images,
                               .layers = found.layers,
                               .snapshots = found.snapshots,
                               .blobs = found.blobs};
  for (auto& finding : found.findings) {
    report.findings.push_back({std::move(finding.kind), std::move(finding.subject), std::move(finding.problem),
                               std::move(finding.remedy), finding.repaired, finding.bytes});
  }
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
  const auto reference = TRY(spec::Reference::parse(options.reference, options.tag));
  const image::PullRequest request{.reference = reference,
                                   .platform = options.platform,
                                   .credentials = credentials_of(options.auth)};
  Forward forward{progress};
  const auto id = TRY(store_.pull(request, forward, std::move(stop)));
  publish("pull", reference.familiar(), reference.familiar_name());
  keep_image_budget(store_, users_, events_, budget_, id);
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

Result<> ImagesService::load(base::ByteSource& archive, bool quiet, ProgressSink& progress,
                             const std::vector<std::string>& platforms) {
  Forward forward{progress};
  for (const auto& loaded : TRY(store_.load(archive, quiet, forward, {}, platforms))) {
    publish("load", loaded.id.str(), loaded.tags.empty() ? loaded.id.str() : loaded.tags.front());
    keep_image_budget(store_, users_, events_, budget_, loaded.id);
  }
  return {};
}

Result<> ImagesService::save(const std::vector<std::string>& refs, base::ByteSink& archive,
                             const std::vector<std::string>& platforms) {
  TRY(store_.save(refs, archive, platforms));
  for (const auto& ref : refs) publish("save", ref, ref);
  return {};
}

}  // namespace engine
