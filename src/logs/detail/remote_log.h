#pragma once
/// The drivers that send lines elsewhere, as the shim has them: a feed to caisson-log, which does the work,
/// and a copy in files of the driver "local", so that `logs` can read what went away.

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "logs/driver.h"
#include "logs/feed.h"
#include "sys/fd.h"

namespace logs::detail {

class RemoteLog final : public Driver {
 public:
  /// Starts caisson-log and waits until it can do its work. Errors: why it can't, after "failed to
  /// initialize logging driver: ".
  static base::Result<std::unique_ptr<Driver>> open(const Config& config);

  base::Result<> write(Stream stream, std::string_view bytes, base::Time time) override;
  base::Result<> end(Stream stream) override;
  [[nodiscard]] std::size_t pending() const override { return queued_ - sent_; }
  [[nodiscard]] std::string_view unfinished(Stream stream) const override;
  [[nodiscard]] bool blocking() const override { return mode_.blocking; }
  [[nodiscard]] int writable_fd() const override { return broken_ ? -1 : feed_.get(); }
  [[nodiscard]] std::optional<std::string> take_rotated() override;
  void compressed() override;
  void trim() override;

 private:
  RemoteLog(const Config& config, const DeliveryMode& mode, std::unique_ptr<Driver> cache);

  base::Result<> start();
  base::Result<> await_ready();
  void enqueue(std::string frame);
  void put(feed::Kind kind, std::string_view bytes, base::Time time);
  base::Result<> flush();

  const std::string config_;  ///< JSON
  const DeliveryMode mode_;
  const std::unique_ptr<Driver> cache_;  ///< may be none
  sys::UniqueFd feed_;
  std::deque<std::string> queue_;  ///< frames on their way
  std::size_t queued_ = 0;         ///< their bytes
  std::size_t sent_ = 0;           ///< of the first one
  bool broken_ = false;    ///< caisson-log is gone; the next try starts another
  std::chrono::steady_clock::time_point started_;
};

}  // namespace logs::detail
