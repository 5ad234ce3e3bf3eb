#pragma once
/// A large blob by several connections at once: what one of them may carry is often limited by the registry or by
/// the distance to it, not by the line.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "distribution/detail/blob_source.h"

namespace distribution::detail {

/// The blob's bytes from `offset` on: in parts where it is large and the registry gives ranges, else as one stream.
/// Errors: those of BlobSource::open.
base::Result<std::unique_ptr<base::ByteSource>> open_source(std::shared_ptr<void> keep, Endpoint& endpoint,
                                                            const Options& options, const spec::Descriptor& blob,
                                                            std::uint64_t offset, std::stop_token stop,
                                                            RetryObserver* observer);

/// Gives the parts in their order while the next ones come into memory: at most kAhead of them. One thread reads.
class ParallelSource final : public base::ByteSource {
 public:
  static constexpr std::size_t kAhead = 3;

  /// `first` gives the first part, which ends at `begin`.
  ParallelSource(std::shared_ptr<void> keep, Endpoint& endpoint, const Options& options, spec::Descriptor blob,
                 std::unique_ptr<BlobSource> first, std::uint64_t begin, const std::stop_token& stop,
                 RetryObserver* observer);
  ~ParallelSource() override;
  ParallelSource(const ParallelSource&) = delete;
  ParallelSource& operator=(const ParallelSource&) = delete;

  base::Result<std::size_t> read(std::span<char> buffer) override;

 private:
  void work(const std::stop_token& stop);
  base::Result<std::string> fetch(std::size_t part, const std::stop_token& stop);
  /// The next part, when it is there.
  base::Result<std::string> wait_for(std::size_t part);
  [[nodiscard]] ByteRange range_of(std::size_t part) const;
  [[nodiscard]] std::size_t parts() const;

  const std::shared_ptr<void> keep_;
  Endpoint& endpoint_;
  const Options options_;
  const spec::Descriptor blob_;
  const std::uint64_t begin_;  ///< of part 0
  RetryObserver* const observer_;
  std::unique_ptr<BlobSource> first_;  // null once it is read
  std::string current_;
  std::size_t taken_ = 0;  // of current_
  std::size_t reading_ = 0;  // the part after current_

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::size_t, std::string> ready_;  // guarded by mutex_, like the rest
  std::size_t started_ = 0;
  std::size_t wanted_ = 0;  // the parts before it were read
  std::optional<base::Error> failure_;
  std::stop_source ending_;
  struct Pass {
    std::stop_source& target;
    void operator()() const { target.request_stop(); }
  };
  std::stop_callback<Pass> pass_on_;
  std::vector<std::jthread> workers_;  // last: they use all of the above
};

}  // namespace distribution::detail
