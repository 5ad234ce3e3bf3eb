#pragma once
/// A blob's bytes, whatever happens to the connection meanwhile.

#include <cstdint>
#include <memory>
#include <stop_token>

#include "base/byte_stream.h"
#include "base/result.h"
#include "distribution/client.h"
#include "distribution/detail/endpoint.h"
#include "distribution/detail/retry.h"

namespace distribution::detail {

struct ByteRange {
  std::uint64_t begin = 0, end = 0;  ///< the end is not in it
};

/// Gives exactly the bytes of `range`. One thread.
class BlobSource final : public base::ByteSource {
 public:
  /// `keep` owns what `endpoint` lives in.
  BlobSource(std::shared_ptr<void> keep, Endpoint& endpoint, const Options& options, spec::Descriptor blob,
             ByteRange range, std::stop_token stop, RetryObserver* observer);

  /// Sends the first request, so that an unknown blob is an error of `open_blob`.
  base::Result<> open();
  /// The answer to the first request was the range and no more.
  [[nodiscard]] bool has_ranges() const { return response_ && response_->status == 206; }
  /// Gives what is behind its range, too.
  void extend() { end_ = blob_.bytes(); }
  base::Result<std::size_t> read(std::span<char> buffer) override;

 private:
  /// An error, and whether and when to try again.
  struct Failure {
    base::Error error;
    bool transient = false;
    std::optional<std::chrono::milliseconds> wanted_delay;
  };
  std::optional<Failure> request();
  base::Result<> request_with_retries();
  base::Result<> recover(Failure failure);

  std::shared_ptr<void> keep_;  // before response_: the connection lives in there
  Endpoint& endpoint_;
  const spec::Descriptor blob_;
  const std::stop_token stop_;
  RetryObserver* observer_;
  Backoff backoff_;
  std::uint64_t offset_, end_;
  std::uint64_t skip_ = 0;  // the server began at 0, though asked for offset_
  std::uint64_t since_failure_ = 0;
  std::optional<Response> response_;
};

}  // namespace distribution::detail
