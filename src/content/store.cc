#include "content/store.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/id.h"
#include "base/strings.h"
#include "codec/sha256.h"
#include "content/detail/store_state.h"
#include "sys/fd_stream.h"
#include "sys/file.h"
#include "sys/storage.h"

namespace content {

using base::Digest;
using base::Error;
using base::Result;

namespace {

constexpr std::string_view kLayout = R"({"imageLayoutVersion":"1.0.0"})";

base::Time time_of(const struct ::stat& status) {
  return base::Time{std::chrono::seconds{status.st_mtim.tv_sec} +
                    std::chrono::nanoseconds{status.st_mtim.tv_nsec}};
}

Error missing(const Digest& digest) {
  return base::not_found(fmt::format("blob {} not found", digest.str()));
}
Error damaged(const Digest& digest) {
  return base::internal(
      fmt::format("blob {} is damaged on disk; remove its image and pull it again", digest.str()));
}

/// A blob without a digest that no process has in work any more.
Result<> remove_abandoned(int dir, const std::string& name) {
  auto file = sys::open_at(dir, name, O_RDWR | O_NOFOLLOW);
  if (file.failed_as(base::ErrorKind::NotFound)) return {};
  if (!file) return Error{file.error()};
  const bool locked = TRY(sys::lock_file(file->get(), sys::Wait::No));
  if (!locked) return {};
  return sys::unlink_at(dir, name);
}

Result<> remove_leftovers(int root, int ingest) {
  for (const auto& entry : TRY(sys::list_dir(ingest))) {
    if (entry.name.starts_with("new-")) TRY(remove_abandoned(ingest, entry.name));
  }
  for (const auto& entry : TRY(sys::list_dir(root))) {
    if (entry.name.find(".tmp-") != std::string::npos) TRY(sys::unlink_at(root, entry.name));
  }
  return {};
}

}  // namespace

Result<std::string> Store::State::name_of(const Digest& digest) {
  if (digest.algorithm() != "sha256") {
    return base::not_implemented(
        fmt::format("digest {}: only sha256 is supported", base::quoted(digest.str())));
  }
  return std::string{digest.hex()};
}

Result<bool> Store::State::has(const Digest& digest) const {
  return sys::exists(blobs_dir.get(), TRY(name_of(digest)));
}

Result<> Store::State::begin_ingest(const std::string& name, std::stop_token stop) {
  std::unique_lock lock{mutex};
  if (!ingest_ended.wait(lock, stop, [&] { return !ingests.contains(name); })) {
    return base::unavailable("cancelled while waiting for another download of the same blob");
  }
  ingests.insert(name);
  return {};
}

void Store::State::end_ingest(const std::string& name) {
  {
    const std::scoped_lock lock{mutex};
    ingests.erase(name);
  }
  ingest_ended.notify_all();
}

Store::Store(std::shared_ptr<State> state) : state_{std::move(state)} {}
Store::~Store() = default;

const std::string& Store::root() const { return state_->root; }

Result<std::unique_ptr<Store>> Store::open(const std::string& root) {
  const auto intent = "content store " + root;
  TRY(sys::make_dirs(sys::kCwd, root, 0711).context(intent));
  auto state = std::make_shared<State>();
  state->root = root;
  state->root_dir = TRY(sys::open_dir(sys::kCwd, root).context(intent));
  const int dir = state->root_dir.get();
  TRY(sys::make_dirs(dir, "blobs/sha256", 0755).context(intent));
  TRY(sys::make_dirs(dir, "ingest", 0700).context(intent));
  state->blobs_dir = TRY(sys::open_dir(dir, "blobs/sha256").context(intent));
  state->ingest_dir = TRY(sys::open_dir(dir, "ingest").context(intent));
  TRY(remove_leftovers(dir, state->ingest_dir.get()).context(intent));
  std::unique_ptr<Store> store{new Store{std::move(state)}};
  if (!TRY(sys::exists(dir, "index.json"))) TRY(store->set_index({}).context(intent));
  // Last: with this file the folder is an image layout.
  if (!TRY(sys::exists(dir, "oci-layout"))) {
    TRY(sys::write_file_atomic(dir, "oci-layout", kLayout, 0644, sys::Durability::PowerLoss).context(intent));
  }
  return store;
}

Result<bool> Store::has(const Digest& digest) const { return state_->has(digest); }

Result<BlobInfo> Store::stat(const Digest& digest) const {
  const auto status = sys::stat_at(state_->blobs_dir.get(), TRY(State::name_of(digest)));
  if (status.failed_as(base::ErrorKind::NotFound)) return missing(digest);
  if (!status) return Error{status.error()};
  return BlobInfo{digest, static_cast<std::uint64_t>(status->st_size), time_of(*status)};
}

Result<sys::UniqueFd> Store::open_blob(const Digest& digest) const {
  auto file = sys::open_at(state_->blobs_dir.get(), TRY(State::name_of(digest)), O_RDONLY | O_NOFOLLOW);
  if (file.failed_as(base::ErrorKind::NotFound)) return missing(digest);
  return file;
}

Result<std::unique_ptr<base::ByteSource>> Store::source(const Digest& digest,
                                                        std::uint64_t offset) const {
  sys::UniqueFd file = TRY(open_blob(digest));
  if (offset != 0) TRY(sys::seek(file.get(), offset).context("blob " + digest.str()));
  return std::make_unique<sys::FdSource>(std::move(file));
}

Result<std::string> Store::read(const Digest& digest, std::size_t limit) const {
  const sys::UniqueFd file = TRY(open_blob(digest));
  std::string text = TRY(sys::read_to_end(file.get(), limit).context("blob " + digest.str()));
  if (codec::sha256(text) != digest) return damaged(digest);
  return text;
}

Result<> Store::verify(const Digest& digest) const {
  const sys::UniqueFd file = TRY(open_blob(digest));
  if (TRY(codec::sha256_of_file(file.get()).context("blob " + digest.str())) != digest)
    return damaged(digest);
  return {};
}

Result<std::vector<BlobInfo>> Store::list() const {
  std::vector<BlobInfo> blobs;
  for (const auto& entry : TRY(sys::list_dir(state_->blobs_dir.get()))) {
    auto digest = Digest::parse("sha256:" + entry.name);
    if (!digest) continue;  // not ours: an editor's or a backup's file
    auto info = stat(*digest);
    if (info.failed_as(base::ErrorKind::NotFound)) continue;  // removed meanwhile
    blobs.push_back(TRY(std::move(info)));
  }
  std::ranges::sort(blobs, {}, &BlobInfo::digest);
  return blobs;
}

Result<> Store::remove(const Digest& digest) {
  auto result = sys::unlink_at(state_->blobs_dir.get(), TRY(State::name_of(digest)));
  if (result.failed_as(base::ErrorKind::NotFound)) return {};
  return result;
}

Result<Ingest> Store::ingest(const Digest& digest, std::uint64_t size, std::stop_token stop) {
  auto state = std::make_unique<Ingest::State>();
  state->store = state_;
  state->expected = digest;
  state->size = size;
  state->name = "sha256-" + TRY(State::name_of(digest));
  TRY(state_->begin_ingest(state->name, std::move(stop)));
  state->held = true;
  TRY(state->open_file().context("ingest " + digest.str()));
  if (state->complete) state->release();
  Ingest ingest{std::move(state)};
  if (!ingest.complete() && ingest.offset() > size) TRY(ingest.restart());
  return ingest;
}

Result<Ingest> Store::ingest_new() {
  auto state = std::make_unique<Ingest::State>();
  state->store = state_;
  state->name = "new-" + base::random_hex(16);
  TRY(state->open_file().context("ingest"));
  return Ingest{std::move(state)};
}

Result<Digest> Store::write_blob(std::string_view bytes) {
  Ingest blob = TRY(ingest(codec::sha256(bytes), bytes.size()));
  if (!blob.complete()) {
    TRY(blob.restart());
    TRY(blob.write(bytes));
  }
  return blob.commit();
}

}  // namespace content
