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

/// Removes a file of ingest/ unless somebody writes it. Nothing there is success.
Result<> remove_unlocked(int dir, const std::string& name) {
  const auto file = sys::open_at(dir, name, O_RDWR | O_NOFOLLOW);
  if (!file) return {};  // became a blob meanwhile
  if (!TRY(sys::lock_file(file->get(), sys::Wait::No))) return {};
  auto removed = sys::unlink_at(dir, name);
  if (removed.failed_as(base::ErrorKind::NotFound)) return {};
  return removed;
}

Result<> remove_old_downloads(int dir, base::Time before) {
  for (const auto& entry : TRY(sys::list_dir(dir))) {
    const auto status = sys::stat_at(dir, entry.name);
    if (!status || base::Time{std::chrono::seconds{status->st_mtim.tv_sec}} >= before) continue;
    TRY(remove_unlocked(dir, entry.name));
  }
  return {};
}

constexpr std::string_view kDownload = "sha256-";

std::uint64_t allocated(const struct ::stat& status) {
  return static_cast<std::uint64_t>(status.st_blocks) * 512;  // stat(3type): the unit of st_blocks
}

/// Of a folder's files. They may go meanwhile.
Result<std::uint64_t> allocated_in(int dir) {
  std::uint64_t bytes = 0;
  for (const auto& entry : TRY(sys::list_dir(dir))) {
    if (const auto status = sys::stat_at(dir, entry.name)) bytes += allocated(*status);
  }
  return bytes;
}

}  // namespace

Result<std::vector<Store::Leftover>> Store::leftovers() const {
  std::vector<Leftover> found;
  const int dir = state_->ingest_dir.get();
  for (const auto& entry : TRY(sys::list_dir(dir))) {
    const auto file = sys::open_at(dir, entry.name, O_RDWR | O_NOFOLLOW);
    if (!file || !TRY(sys::lock_file(file->get(), sys::Wait::No))) continue;
    const auto status = TRY(sys::stat_fd(file->get()));
    Leftover leftover{.name = entry.name, .bytes = allocated(status),
                      .changed = base::Time{std::chrono::seconds{status.st_mtim.tv_sec}}};
    const std::string_view name = entry.name;
    const auto digest = name.starts_with(kDownload)
                            ? Digest::parse("sha256:" + std::string{name.substr(kDownload.size())})
                            : Result<Digest>{base::invalid("no digest")};
    leftover.useless = !digest || TRY(has(*digest));
    found.push_back(std::move(leftover));
  }
  return found;
}

Result<> Store::remove_leftover(const std::string& name) { return remove_unlocked(state_->ingest_dir.get(), name); }

Result<Store::Space> Store::space() const {
  Space space;
  space.blobs = TRY(allocated_in(state_->blobs_dir.get()));
  space.ingests = TRY(allocated_in(state_->ingest_dir.get()));
  space.other = TRY(allocated_in(state_->root_dir.get()));
  for (const char* folder : {".", "blobs/sha256"}) {
    space.other += allocated(TRY(sys::stat_at(state_->root_dir.get(), folder)));
  }
  return space;
}

Result<bool> Store::remove_unleased(const Digest& digest, base::FunctionRef<Result<bool>()> agreed) {
  const std::scoped_lock lock{state_->mutex};
  if (state_->leased.contains(digest) || !TRY(agreed())) return false;
  TRY(remove(digest));
  return true;
}

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
