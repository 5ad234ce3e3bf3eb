#include "distribution/detail/parallel_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace distribution::detail {

using base::Result;

namespace {

/// Smaller blobs are there before a second connection is.
constexpr std::uint64_t kFewestParts = 4;

}  // namespace

Result<std::unique_ptr<base::ByteSource>> open_source(std::shared_ptr<void> keep, Endpoint& endpoint,
                                                      const Options& options, const spec::Descriptor& blob,
                                                      std::uint64_t offset, std::stop_token stop,
                                                      RetryObserver* observer) {
  const std::uint64_t part = options.part_bytes;
  const bool parallel = part > 0 && offset < blob.bytes() && blob.bytes() - offset >= kFewestParts * part &&
                        (options.parts_on_loopback || !endpoint.is_loopback());
  const ByteRange range{offset, parallel ? offset + part : blob.bytes()};
  auto first = std::make_unique<BlobSource>(keep, endpoint, options, blob, range, stop, observer);
  TRY(first->open());
  if (parallel && first->has_ranges()) {
    return std::unique_ptr<base::ByteSource>{std::make_unique<ParallelSource>(
        std::move(keep), endpoint, options, blob, std::move(first), range.end, stop, observer)};
  }
  first->extend();
  return std::unique_ptr<base::ByteSource>{std::move(first)};
}

ParallelSource::ParallelSource(std::shared_ptr<void> keep, Endpoint& endpoint, const Options& options,
                               spec::Descriptor blob, std::unique_ptr<BlobSource> first, std::uint64_t begin,
                               const std::stop_token& stop, RetryObserver* observer)
    : keep_{std::move(keep)},
      endpoint_{endpoint},
      options_{options},
      blob_{std::move(blob)},
      begin_{begin},
      observer_{observer},
      first_{std::move(first)},
      pass_on_{stop, Pass{ending_}} {
  for (std::size_t i = 0; i < std::min(kAhead, parts()); ++i) {
    workers_.emplace_back([this] { work(ending_.get_token()); });
  }
}

ParallelSource::~ParallelSource() {
  ending_.request_stop();
  workers_.clear();
}

std::size_t ParallelSource::parts() const {
  return static_cast<std::size_t>((blob_.bytes() - begin_ + options_.part_bytes - 1) / options_.part_bytes);
}

ByteRange ParallelSource::range_of(std::size_t part) const {
  const std::uint64_t begin = begin_ + part * options_.part_bytes;
  return {begin, std::min(begin + options_.part_bytes, blob_.bytes())};
}

void ParallelSource::work(const std::stop_token& stop) {
  for (;;) {
    std::size_t part = 0;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, stop, [&] { return failure_ || started_ == parts() || started_ < wanted_ + kAhead; });
      if (stop.stop_requested() || failure_ || started_ == parts()) return;
      part = started_++;
    }
    auto bytes = fetch(part, stop);
    const std::scoped_lock lock{mutex_};
    if (bytes) {
      ready_.emplace(part, *std::move(bytes));
    } else if (!failure_) {
      failure_ = std::move(bytes.error());
    }
    changed_.notify_all();
  }
}

Result<std::string> ParallelSource::fetch(std::size_t part, const std::stop_token& stop) {
  const ByteRange range = range_of(part);
  BlobSource source{keep_, endpoint_, options_, blob_, range, stop, observer_};
  TRY(source.open());
  std::string bytes(range.end - range.begin, '\0');
  for (std::size_t have = 0; have < bytes.size();) {
    const std::size_t count = TRY(source.read(std::span{bytes}.subspan(have)));
    if (count == 0) return base::unavailable("blob " + blob_.digest_text + ": unexpected EOF");
    have += count;
  }
  return bytes;
}

Result<std::string> ParallelSource::wait_for(std::size_t part) {
  std::unique_lock lock{mutex_};
  wanted_ = part;
  changed_.notify_all();
  changed_.wait(lock, ending_.get_token(), [&] { return ready_.contains(part) || failure_; });
  if (const auto it = ready_.find(part); it != ready_.end()) {
    std::string bytes = std::move(it->second);
    ready_.erase(it);
    wanted_ = part + 1;
    changed_.notify_all();
    return bytes;
  }
  return failure_ ? *failure_ : base::unavailable("context canceled");
}

Result<std::size_t> ParallelSource::read(std::span<char> buffer) {
  if (first_ != nullptr) {
    const std::size_t count = TRY(first_->read(buffer));
    if (count != 0) return count;
    first_.reset();
  }
  if (taken_ == current_.size()) {
    if (reading_ == parts()) return std::size_t{0};
    current_ = TRY(wait_for(reading_++));
    taken_ = 0;
  }
  const std::size_t count = std::min(buffer.size(), current_.size() - taken_);
  std::memcpy(buffer.data(), current_.data() + taken_, count);
  taken_ += count;
  return count;
}

}  // namespace distribution::detail
