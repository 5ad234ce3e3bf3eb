#include "base/scope_guard.h"
#include "content/detail/store_state.h"
#include "content/store.h"
#include "sys/file.h"
#include "sys/storage.h"

namespace content {

using base::Digest;
using base::Result;

Lease::Lease(std::unique_ptr<Hold> hold) : hold_{std::move(hold)} {}
Lease::Lease(Lease&&) noexcept = default;

Lease& Lease::operator=(Lease&& other) noexcept {
  std::swap(hold_, other.hold_);
  return *this;
}

Lease::~Lease() {
  if (!hold_) return;
  auto& store = *hold_->store;
  const std::scoped_lock lock{store.mutex};
  for (const auto& digest : hold_->digests) {
    const auto found = store.leased.find(digest);
    if (--found->second == 0) store.leased.erase(found);
    if (store.collecting > 0) store.released.insert(digest);
  }
}

void Lease::add(const Digest& digest) {
  auto& store = *hold_->store;
  const std::scoped_lock lock{store.mutex};
  if (hold_->digests.insert(digest).second) ++store.leased[digest];
}

Lease Store::lease() {
  auto hold = std::make_unique<Lease::Hold>();
  hold->store = state_;
  return Lease{std::move(hold)};
}

namespace {

Result<> remove_old_downloads(int dir, base::Time before) {
  for (const auto& entry : TRY(sys::list_dir(dir))) {
    const auto status = sys::stat_at(dir, entry.name);
    if (!status || base::Time{std::chrono::seconds{status->st_mtim.tv_sec}} >= before) continue;
    const auto file = sys::open_at(dir, entry.name, O_RDWR | O_NOFOLLOW);
    if (!file) continue;  // became a blob meanwhile
    const bool locked = TRY(sys::lock_file(file->get(), sys::Wait::No));
    if (!locked) continue;
    auto removed = sys::unlink_at(dir, entry.name);
    if (!removed && !removed.failed_as(base::ErrorKind::NotFound)) return removed;
  }
  return {};
}

}  // namespace

Result<Store::Collected> Store::collect(base::FunctionRef<Result<Roots>()> roots,
                                        std::chrono::seconds grace) {
  {
    const std::scoped_lock lock{state_->mutex};
    ++state_->collecting;
  }
  const base::ScopeGuard done{[&] {
    const std::scoped_lock lock{state_->mutex};
    if (--state_->collecting == 0) state_->released.clear();
  }};
  const base::Time before = base::now() - grace;
  const Result<Roots> keep = roots();
  if (!keep) return base::Error{keep.error()};
  Collected collected;
  for (const auto& blob : TRY(list())) {
    if (keep->contains(blob.digest) || blob.stored >= before) continue;
    // Under the lock, so that a lease taken before is seen and one taken later finds the blob gone.
    const std::scoped_lock lock{state_->mutex};
    if (state_->leased.contains(blob.digest) || state_->released.contains(blob.digest)) continue;
    TRY(remove(blob.digest));
    ++collected.blobs;
    collected.bytes += blob.size;
  }
  TRY(remove_old_downloads(state_->ingest_dir.get(), before));
  return collected;
}

}  // namespace content
