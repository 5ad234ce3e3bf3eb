#include "distribution/detail/blob_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "distribution/detail/failure.h"

namespace distribution::detail {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::size_t kErrorBody = std::size_t{64} << 10U;
/// Less than this between two failures is no progress: a peer that sends one byte per connection must
/// not keep a pull going for ever.
constexpr std::uint64_t kProgress = std::uint64_t{32} << 10U;

/// "bytes 100-199/200" → 100
std::optional<std::uint64_t> range_begin(std::string_view header) {
  if (!header.starts_with("bytes ")) return std::nullopt;
  const auto parts = base::cut(header.substr(6), "-");
  return parts ? base::parse_uint(base::trim(parts->first)) : std::nullopt;
}

}  // namespace

BlobSource::BlobSource(std::shared_ptr<void> keep, Endpoint& endpoint, const Options& options,
                       spec::Descriptor blob, ByteRange range, std::stop_token stop,
                       RetryObserver* observer)
    : keep_{std::move(keep)},
      endpoint_{endpoint},
      blob_{std::move(blob)},
      stop_{std::move(stop)},
      observer_{observer},
      backoff_{options},
      offset_{range.begin},
      end_{range.end} {}

Result<> BlobSource::open() {
  if (offset_ >= end_) return {};
  return request_with_retries();
}

std::optional<BlobSource::Failure> BlobSource::request() {
  response_.reset();
  std::vector<std::string> headers;
  const bool part = end_ < blob_.bytes();
  if (offset_ > 0 || part) {
    headers.push_back("Range: bytes=" + std::to_string(offset_) + "-" + (part ? std::to_string(end_ - 1) : ""));
  }
  auto answer = endpoint_.send("GET", "blobs/" + blob_.digest_text, headers, stop_);
  if (!answer) {
    const bool transient = answer.failed_as(ErrorKind::Unavailable);
    return Failure{std::move(answer.error()), transient, {}};
  }
  if (answer->status == 206) {
    if (range_begin(answer->header("content-range")) != offset_) {
      return Failure{
          base::internal("blob " + blob_.digest_text + ": the registry sent another range than asked for"),
          false,
          {}};
    }
    skip_ = 0;
  } else if (answer->status == 200) {
    const auto length = answer->content_length();
    if (length && *length != blob_.bytes()) {
      return Failure{
          base::invalid("blob " + blob_.digest_text + ": the registry has " + std::to_string(*length) +
                        " bytes, the manifest says " + std::to_string(blob_.size)),
          false,
          {}};
    }
    skip_ = offset_;
  } else {
    const std::string body = base::read_all(*answer->body, kErrorBody).value_or("");
    Error error = status_failure(*answer, body);
    std::move(error).context("blob " + blob_.digest_text);
    return Failure{std::move(error), is_transient(answer->status),
                   parse_retry_after(answer->header("retry-after"))};
  }
  response_ = *std::move(answer);
  return std::nullopt;
}

Result<> BlobSource::request_with_retries() {
  while (auto failure = request()) TRY(recover(*std::move(failure)));
  return {};
}

Result<> BlobSource::recover(Failure failure) {
  response_.reset();
  if (!failure.transient || stop_.stop_requested()) return std::move(failure.error);
  if (std::exchange(since_failure_, 0) >= kProgress) backoff_.progressed();
  const auto delay = backoff_.next(failure.wanted_delay);
  if (!delay) return std::move(failure.error);
  if (observer_ != nullptr)
    observer_->retrying(std::chrono::ceil<std::chrono::seconds>(*delay), failure.error);
  if (!wait_out(*delay, stop_)) return base::unavailable("context canceled");
  return {};
}

Result<std::size_t> BlobSource::read(std::span<char> buffer) {
  while (offset_ < end_) {
    if (!response_) TRY(request_with_retries());
    std::array<char, 65536> discarded;
    const auto wanted =
        skip_ > 0 ? std::span<char>{discarded}.first(std::min<std::uint64_t>(discarded.size(), skip_))
                  : buffer.first(std::min<std::uint64_t>(buffer.size(), end_ - offset_));
    auto count = response_->body->read(wanted);
    if (!count || *count == 0) {
      Error error = count ? base::unavailable("unexpected EOF") : std::move(count.error());
      std::move(error).context("blob " + blob_.digest_text);
      TRY(recover({std::move(error), true, {}}));
      continue;
    }
    if (skip_ > 0) {
      skip_ -= *count;
      continue;
    }
    offset_ += *count;
    since_failure_ += *count;
    return *count;
  }
  return std::size_t{0};
}

}  // namespace distribution::detail
