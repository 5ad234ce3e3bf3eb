#include <algorithm>
#include <set>
#include <utility>

#include "base/strings.h"
#include "image/detail/core.h"
#include "image/detail/removal.h"
#include "image/detail/variants.h"
#include "image/store.h"

namespace image {
namespace {

using base::Digest;
using base::Error;
using base::Result;
using detail::Core;
using detail::RefRecord;

std::string short_container(const ImageUser& user) { return user.container_id.substr(0, 12); }

const ImageUser* first(const std::vector<ImageUser>& users, bool running) {
  const auto it =
      std::find_if(users.begin(), users.end(), [&](const ImageUser& u) { return u.running == running; });
  return it == users.end() ? nullptr : &*it;
}

/// At most one tag, and every digest belongs to that tag's repository: removing that one name leaves
/// nothing that a user would miss.
bool is_single_reference(const std::vector<RefRecord>& references) {
  if (references.size() <= 1) return true;
  std::set<std::string> digest_names;
  std::string single;
  for (const auto& reference : references) {
    const std::string name = reference.parsed().name();
    if (reference.is_digest()) {
      digest_names.insert(name);
    } else if (single.empty()) {
      single = name;
    } else {
      return false;
    }
  }
  if (single.empty()) single = references.front().parsed().name();
  return digest_names.size() == 1 && digest_names.contains(single);
}

bool is_id_prefix(const Digest& id, const std::string& ref) {
  return id.str().starts_with(ref) || id.hex().starts_with(ref);
}

/// One `docker rmi`, in moby's order of questions.
class Removal {
 public:
  Removal(Core& core, std::string ref, bool force, std::vector<ImageUser> users, Digest id)
      : core_{core}, ref_{std::move(ref)}, force_{force}, users_{std::move(users)} {
    removed_.id = std::move(id);
  }

  /// Rows only. True if the image itself went.
  Result<bool> decide();
  Removed& removed() { return removed_; }

 private:
  Result<bool> remove_name();
  Result<> untag(const RefRecord& reference);
  Result<std::vector<RefRecord>> references() { return core_.records.references_of(removed_.id); }
  [[nodiscard]] Error conflict(bool hard, const std::string& why) const {
    return base::conflict("conflict: unable to delete " + removed_.id.short_hex() +
                          (hard ? " (cannot be forced) - " : " (must be forced) - ") + why);
  }
  /// What can't be forced.
  Result<> check_hard() const {
    for (const auto& other : TRY(core_.records.images())) {
      if (other.summary.parent == removed_.id.str())
        return conflict(true, "image has dependent child images");
    }
    if (const auto* user = first(users_, true)) {
      return conflict(true, "image is being used by running container " + short_container(*user));
    }
    return {};
  }
  Result<> check_stopped() const {
    if (const auto* user = first(users_, false)) {
      return conflict(false, "image is being used by stopped container " + short_container(*user));
    }
    return {};
  }

  Core& core_;
  const std::string ref_;
  const bool force_;
  const std::vector<ImageUser> users_;
  Removed removed_;
};

Result<> Removal::untag(const RefRecord& reference) {
  TRY(core_.records.remove_reference(reference.reference));
  removed_.items.push_back({reference.parsed().familiar(), {}});
  return {};
}

/// True when the image is without a name now.
Result<bool> Removal::remove_name() {
  auto all = TRY(references());
  if (!force_ && is_single_reference(all) && !users_.empty()) {
    return base::conflict("conflict: unable to remove repository reference " + base::quoted(ref_) +
                          " (must force) - container " + short_container(users_.front()) +
                          " is using its referenced image " + removed_.id.short_hex());
  }
  const auto name = TRY(spec::Reference::parse(ref_));
  const auto wanted = name.digest().empty() ? name.with_default_tag() : name.with_digest(name.digest());
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.reference == wanted.str(); });
  if (it == all.end()) return detail::no_such_image(ref_);
  TRY(untag(*it));
  all.erase(it);
  // With the last tag of a repository its digests go, too.
  const bool more_tags = std::any_of(all.begin(), all.end(), [&](const auto& r) {
    return !r.is_digest() && r.parsed().name() == wanted.name();
  });
  if (!wanted.tag().empty() && !more_tags) {
    for (const auto& reference : std::exchange(all, {})) {
      if (reference.is_digest() && reference.parsed().name() == wanted.name()) {
        TRY(untag(reference));
      } else {
        all.push_back(reference);
      }
    }
  }
  return all.empty();
}

Result<bool> Removal::decide() {
  bool by_name = false;
  if (!is_id_prefix(removed_.id, ref_)) {
    if (!TRY(remove_name())) return false;
    by_name = true;
  } else if (const auto all = TRY(references()); is_single_reference(all)) {
    TRY(check_hard());
    if (!force_) TRY(check_stopped());
    for (const auto& reference : all) TRY(untag(reference));
  }
  // A name is gone by now, which is what was asked for: what still uses the image keeps it.
  if (by_name && (first(users_, true) != nullptr || (!force_ && !users_.empty()) || !check_hard()))
    return false;
  TRY(check_hard());
  const auto left = TRY(references());
  if (!force_) {
    if (!left.empty()) return conflict(false, "image is referenced in multiple repositories");
    TRY(check_stopped());
  }
  for (const auto& reference : left) removed_.items.push_back({reference.parsed().familiar(), {}});
  TRY(core_.records.remove_image(removed_.id));
  removed_.items.push_back({{}, removed_.id.str()});
  return true;
}

/// The nameless images below it that a build left behind, as far as nothing else needs them.
Result<> prune_parents_of(Core& core, std::string parent, const ImageUsers& users, Removed& removed) {
  while (!parent.empty()) {
    const auto id = Digest::parse(parent);
    if (!id) return {};
    const auto image = TRY(core.records.image(*id));
    if (!image || !TRY(core.records.references_of(*id)).empty() || !users.users_of(*id).empty()) return {};
    for (const auto& other : TRY(core.records.images())) {
      if (other.summary.parent == parent) return {};
    }
    TRY(core.records.remove_image(*id));
    removed.items.push_back({{}, parent});
    parent = image->summary.parent;
  }
  return {};
}

}  // namespace

namespace detail {

Result<Unrecorded> remove_rows(Core& core, const std::string& ref, bool force, bool prune_parents,
                               const ImageUsers& users) {
  const auto image = TRY(detail::find_image(core, ref));
  Removal removal{core, ref, force, users.users_of(image.id), image.id};
  const auto decide = [&]() -> Result<bool> {
    const std::scoped_lock lock{core.names_mutex};
    return removal.decide();
  };
  const bool deleted = TRY(decide());
  if (deleted && prune_parents) TRY(prune_parents_of(core, image.summary.parent, users, removal.removed()));
  return Unrecorded{std::move(removal.removed()), deleted};
}

}  // namespace detail

Result<Removed> Store::remove(const std::string& ref, bool force, bool prune_parents,
                              const ImageUsers& users) {
  const auto index = TRY(detail::index_of(*core_, ref));
  auto [removed, deleted] = TRY(detail::remove_rows(*core_, ref, force, prune_parents, users));
  if (index && TRY(detail::remove_variants(*core_, *index, users, removed))) deleted = true;
  if (deleted) {
    for (auto& chain_id : TRY(detail::remove_unused(*core_)).chain_ids) {
      removed.items.push_back({{}, std::move(chain_id)});
    }
  }
  TRY(detail::write_index(*core_));
  if (deleted) TRY(detail::remove_unused_blobs(*core_, std::chrono::seconds{0}));
  return std::move(removed);
}

Result<Digest> Store::tag(const std::string& ref, const std::string& repository, const std::string& tag) {
  const auto image = TRY(detail::find_image(*core_, ref));
  auto name = TRY(spec::Reference::parse(repository));
  if (!name.digest().empty()) return base::invalid("refusing to create a tag with a digest reference");
  if (!tag.empty()) name = TRY(name.with_tag(tag));
  name = name.with_default_tag();
  if (name.familiar_name() == "sha256") {
    return base::invalid("refusing to create an ambiguous tag using digest algorithm as name");
  }
  {
    const auto index = TRY(detail::index_of(*core_, ref));
    const std::scoped_lock lock{core_->names_mutex};
    TRY(core_->records.set_reference({name, index ? index->digest : image.manifest}, image.id).context("tag " + name.familiar()));
  }
  TRY(detail::write_index(*core_));
  return image.id;
}

Result<> Store::touch(const Digest& id) { return core_->records.touch(id, base::now()); }

Result<> Store::collect() {
  if (TRY(detail::remove_unused(*core_)).chain_ids.empty()) return {};
  TRY(detail::remove_unused_blobs(*core_, std::chrono::seconds{0}));
  return {};
}

}  // namespace image
