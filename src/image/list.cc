#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "image/detail/core.h"
#include "image/detail/glob.h"
#include "image/detail/manifests.h"
#include "image/store.h"

namespace image {
namespace {

using base::Result;
using detail::Core;
using detail::ImageRecord;
using detail::RefRecord;

constexpr std::array<std::string_view, 7> kFilters = {"dangling", "label", "label!", "reference",
                                                      "before",   "since", "until"};

/// An image with what it is called.
struct Entry {
  ImageRecord image;
  std::vector<RefRecord> references;
  std::int64_t created = 0;  ///< Unix seconds

  [[nodiscard]] bool has_tag() const {
    return std::any_of(references.begin(), references.end(), [](const auto& r) { return !r.is_digest(); });
  }
};

std::int64_t created_seconds(const std::string& text) {
  const auto time = base::parse_rfc3339(text);
  if (!time) return 0;
  return std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count();
}

Result<bool> parse_bool(const std::string& name, const std::string& value) {
  for (const auto* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (value == yes) return true;
  }
  for (const auto* no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (value == no) return false;
  }
  return base::invalid("invalid filter '" + name + "=[" + value + "]'");
}

/// One image against all filters.
class Matcher {
 public:
  static Result<Matcher> make(const Core& core, const Filters& filters);
  [[nodiscard]] bool keeps(const Entry& entry) const;
  /// Names that don't match a `reference` filter are not shown either.
  [[nodiscard]] bool shows(const spec::Reference& name) const;

 private:
  [[nodiscard]] static bool has_label(const Entry& entry, const std::string& filter);

  std::optional<bool> dangling_;
  std::vector<std::string> labels_, other_labels_, patterns_;
  std::optional<std::int64_t> before_, since_, until_;
};

Result<Matcher> Matcher::make(const Core& core, const Filters& filters) {
  Matcher matcher;
  for (const auto& [name, values] : filters) {
    if (std::find(kFilters.begin(), kFilters.end(), name) == kFilters.end()) {
      return base::invalid("invalid filter '" + name + "'");
    }
    for (const auto& value : values) {
      if (name == "dangling") matcher.dangling_ = TRY(parse_bool(name, value));
      if (name == "label") matcher.labels_.push_back(value);
      if (name == "label!") matcher.other_labels_.push_back(value);
      if (name == "reference") matcher.patterns_.push_back(value);
      if (name == "before" || name == "since") {
        const auto image = TRY(detail::find_image(core, value));
        (name == "before" ? matcher.before_ : matcher.since_) = created_seconds(image.summary.created);
      }
      if (name == "until") {
        const auto time = TRY(base::parse_timestamp(value, base::now()));
        matcher.until_ = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
      }
    }
  }
  return matcher;
}

bool Matcher::has_label(const Entry& entry, const std::string& filter) {
  const auto& labels = entry.image.summary.labels;
  const auto parts = base::cut(filter, "=");
  const auto it = labels.find(std::string{parts ? parts->first : std::string_view{filter}});
  return it != labels.end() && (!parts || it->second == parts->second);
}

bool Matcher::shows(const spec::Reference& name) const {
  return patterns_.empty() ||
         std::any_of(patterns_.begin(), patterns_.end(), [&](const std::string& pattern) {
           return detail::glob_matches(pattern, name.familiar()) ||
                  detail::glob_matches(pattern, name.familiar_name());
         });
}

bool Matcher::keeps(const Entry& entry) const {
  if (dangling_ && *dangling_ == entry.has_tag()) return false;
  if (before_ && entry.created >= *before_) return false;
  if (since_ && entry.created <= *since_) return false;
  if (until_ && entry.created >= *until_) return false;
  const auto has = [&](const std::string& label) { return has_label(entry, label); };
  if (!std::all_of(labels_.begin(), labels_.end(), has)) return false;
  if (std::any_of(other_labels_.begin(), other_labels_.end(), has)) return false;
  return patterns_.empty() || std::any_of(entry.references.begin(), entry.references.end(),
                                          [&](const auto& r) { return shows(r.parsed()); });
}

/// Of the first name that has one.
Result<std::optional<detail::KeptIndex>> index_of(const Core& core, const Entry& entry) {
  for (const auto& reference : entry.references) {
    // Most names lead to the image's own manifest: nothing to read then.
    if (reference.manifest == entry.image.manifest) continue;
    auto index = TRY(detail::kept_index(core, reference.manifest));
    if (index) return index;
  }
  return std::optional<detail::KeptIndex>{};
}

spec::api::ImageSummary summary_of(const Entry& entry, const Matcher& matcher) {
  spec::api::ImageSummary summary;
  summary.id = entry.image.id.str();
  summary.parent_id = entry.image.summary.parent;
  summary.created = entry.created;
  summary.size = static_cast<std::int64_t>(entry.image.size);
  summary.labels = entry.image.summary.labels;
  if (summary.labels->empty()) summary.labels.reset();
  for (const auto& reference : entry.references) {
    const auto name = reference.parsed();
    if (!matcher.shows(name)) continue;
    (reference.is_digest() ? summary.repo_digests : summary.repo_tags).push_back(name.familiar());
  }
  return summary;
}

}  // namespace

Result<std::vector<spec::api::ImageSummary>> Store::list(const ListOptions& options) const {
  const Matcher matcher = TRY(Matcher::make(*core_, options.filters));
  std::map<base::Digest, std::vector<RefRecord>> references;
  for (auto& reference : TRY(core_->records.references()))
    references[reference.image_id].push_back(std::move(reference));
  std::vector<Entry> entries;
  const auto hidden = options.all ? std::set<base::Digest>{} : TRY(detail::nameless_variants(*core_));
  for (auto& image : TRY(core_->records.images())) {
    if (hidden.contains(image.id)) continue;
    Entry entry{std::move(image), {}, 0};
    entry.references = std::move(references[entry.image.id]);
    entry.created = created_seconds(entry.image.summary.created);
    if (matcher.keeps(entry)) entries.push_back(std::move(entry));
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.created > b.created; });
  std::vector<spec::api::ImageSummary> summaries;
  summaries.reserve(entries.size());
  for (const auto& entry : entries) {
    summaries.push_back(summary_of(entry, matcher));
    const auto index = TRY(index_of(*core_, entry));
    // One that is removed meanwhile has none any more.
    if (auto target = detail::target_of(*core_, entry.image, index)) summaries.back().descriptor = *std::move(target);
    if (options.manifests) {
      summaries.back().manifests = TRY(detail::manifest_summaries(*core_, entry.image, index, options.users));
    }
  }
  return summaries;
}

Result<std::uint64_t> Store::count() const { return core_->records.count(); }

}  // namespace image
