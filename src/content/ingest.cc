#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "codec/sha256.h"
#include "content/detail/store_state.h"
#include "content/store.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/storage.h"

namespace content {

using base::Digest;
using base::Error;
using base::Result;

/// How much may be dirty before the kernel is told to begin writing it.
constexpr std::uint64_t kWritebackStep = std::uint64_t{8} << 20U;

struct Ingest::State::Progress {
  codec::Sha256 hash;
  std::uint64_t offset = 0;
  std::uint64_t writeback = 0;
};

namespace {

/// The first `size` bytes of a file that may still grow.
class PrefixSource final : public base::ByteSource {
 public:
  PrefixSource(sys::UniqueFd file, std::uint64_t size) : file_{std::move(file)}, left_{size} {}
  Result<std::size_t> read(std::span<char> buffer) override {
    if (buffer.size() > left_) buffer = buffer.first(static_cast<std::size_t>(left_));
    if (buffer.empty()) return 0U;
    const std::size_t count = TRY(sys::read_at(file_.get(), buffer, offset_));
    if (count == 0) return base::internal("a blob under way became shorter");
    offset_ += count;
    left_ -= count;
    return count;
  }

 private:
  sys::UniqueFd file_;
  std::uint64_t offset_ = 0;
  std::uint64_t left_;
};

bool is_disk_full(const Error& error) {
  return error.errno_value() == ENOSPC || error.errno_value() == EDQUOT;
}

}  // namespace

Ingest::State::State() : progress{std::make_unique<Progress>()} {}

Ingest::State::~State() {
  // A download can be resumed by its digest; a blob without one can't be found again.
  if (file.valid() && expected.empty()) remove_file();
  release();
}

void Ingest::State::release() {
  if (file.valid()) sys::unlock_file(file.get());
  file.reset();
  if (std::exchange(held, false)) store->end_ingest(name);
}

void Ingest::State::remove_file() {
  if (!file.valid()) return;
  ignore(sys::unlink_at(store->ingest_dir.get(), name), "what is left is collected later");
  sys::unlock_file(file.get());
  file.reset();
}

/// Opens and locks the file, and hashes what is in it. With a second process at the same blob, the
/// file that was waited for may have become the blob meanwhile: then look again.
Result<> Ingest::State::open_file() {
  const int dir = store->ingest_dir.get();
  while (true) {
    if (!expected.empty() && TRY(store->has(expected))) {
      complete = true;
      return {};
    }
    sys::UniqueFd opened = TRY(sys::open_at(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    static_cast<void>(TRY(sys::lock_file(opened.get(), sys::Wait::Yes)));
    const struct ::stat locked = TRY(sys::stat_fd(opened.get()));
    const auto named = sys::stat_at(dir, name);
    if (named.failed_as(base::ErrorKind::NotFound)) continue;
    if (!named) return Error{named.error()};
    if (named->st_ino != locked.st_ino) continue;
    file = std::move(opened);
    break;
  }
  std::vector<char> buffer(std::size_t{256} << 10U);
  while (true) {
    const std::size_t count = TRY(sys::read_some(file.get(), buffer));
    if (count == 0) break;
    progress->hash.update({buffer.data(), count});
    progress->offset += count;
  }
  return {};
}

Ingest::Ingest(std::unique_ptr<State> state) : state_{std::move(state)} {}
Ingest::Ingest(Ingest&&) noexcept = default;
Ingest& Ingest::operator=(Ingest&&) noexcept = default;
Ingest::~Ingest() = default;

bool Ingest::complete() const { return state_->complete; }
std::uint64_t Ingest::offset() const { return state_->progress->offset; }

Result<std::unique_ptr<base::ByteSource>> Ingest::written() const {
  if (!state_->file.valid()) return base::internal("the ingest has ended");
  sys::UniqueFd file = TRY(sys::duplicate(state_->file.get()));
  return std::make_unique<PrefixSource>(std::move(file), state_->progress->offset);
}

Result<> Ingest::write(std::string_view bytes) {
  auto& progress = *state_->progress;
  if (!state_->file.valid()) return base::internal("the ingest has ended");
  if (bytes.size() > state_->size - progress.offset) {
    return base::invalid(
        fmt::format("blob {} is longer than its {} bytes", state_->expected.str(), state_->size));
  }
  auto written = sys::inject("content.write");
  if (written) written = sys::write_all_at(state_->file.get(), bytes, progress.offset);
  if (!written) {
    if (is_disk_full(written.error())) state_->remove_file();
    return std::move(written).context(state_->expected.empty() ? "store a blob"
                                                               : "store " + state_->expected.str());
  }
  progress.hash.update(bytes);
  progress.offset += bytes.size();
  if (progress.offset - progress.writeback >= kWritebackStep) {
    sys::start_writeback(state_->file.get(), progress.writeback, progress.offset - progress.writeback);
    progress.writeback = progress.offset;
  }
  return {};
}

Result<> Ingest::restart() {
  if (!state_->file.valid()) return base::internal("the ingest has ended");
  TRY(sys::truncate_file(state_->file.get(), 0));
  *state_->progress = {};
  return {};
}

Result<Digest> Ingest::commit() {
  if (state_->complete) return state_->expected;
  if (!state_->file.valid()) return base::internal("the ingest has ended");
  auto& progress = *state_->progress;
  if (state_->size != Store::kUnknownSize && progress.offset < state_->size) {
    return base::unavailable(fmt::format("blob {} is incomplete: {} of {} bytes", state_->expected.str(),
                                         progress.offset, state_->size));
  }
  const Digest digest = progress.hash.digest();
  if (!state_->expected.empty() && digest != state_->expected) {
    state_->remove_file();
    return base::invalid(
        fmt::format("digest mismatch: wanted {}, got {}", state_->expected.str(), digest.str()));
  }
  CRASH_POINT("content.commit.verified");
  // A blob never becomes visible without its bytes being on the disk: has() is all that others check.
  auto stored = [&]() -> Result<> {
    if (::fchmod(state_->file.get(), 0444) < 0) return Error::from_errno(errno, "chmod");
    TRY(sys::inject("content.sync"));
    TRY(sys::sync_fd(state_->file.get()));
    CRASH_POINT("content.commit.synced");
    TRY(sys::inject("content.rename"));
    const std::string blob = TRY(Store::State::name_of(digest));
    TRY(sys::rename_at(state_->store->ingest_dir.get(), state_->name, state_->store->blobs_dir.get(), blob));
    CRASH_POINT("content.commit.renamed");
    return sys::sync_fd(state_->store->blobs_dir.get());
  }();
  if (!stored) {
    if (is_disk_full(stored.error())) state_->remove_file();
    return Error{std::move(stored).context("store " + digest.str()).error()};
  }
  state_->release();
  state_->expected = digest;
  state_->complete = true;
  return digest;
}

void Ingest::abort() { state_->remove_file(); }

}  // namespace content
