#pragma once
/// `logs`, and with -f through the death of the daemon: containers go on logging without it, so the
/// next daemon has the lines that came meanwhile. None is lost and none shown twice.

#include <string>

#include "base/result.h"
#include "cli/cli.h"
#include "cli/logs/entry_splitter.h"
#include "client/containers.h"

namespace cli {

/// Where the output stands in the log: the time of the last entry shown, and how many entries of that
/// very time were.
class LogPosition {
 public:
  /// Whether an entry of this time is still to be shown. Called once per entry, in the log's order.
  bool is_new(std::string_view time);
  /// The log is read again from `since`: what was shown will come again.
  void restart() {
    seen_again_ = 0;
    resumed_ = true;
  }
  [[nodiscard]] const std::string& since() const { return time_; }

 private:
  std::string time_;
  std::size_t shown_ = 0;       ///< entries of `time_`
  std::size_t seen_again_ = 0;  ///< of those, since the restart
  bool resumed_ = false;
};

class LogFollower {
 public:
  LogFollower(Cli& cli, client::Client& client, std::string container, client::LogsOptions options)
      : cli_{cli}, client_{client}, container_{std::move(container)}, options_{std::move(options)} {}

  /// Errors: those of the first request; Unavailable when no daemon came back.
  base::Result<> run();

 private:
  enum class End : bool { Complete, Broken };
  base::Result<End> once();
  base::Result<bool> has_tty();
  /// Copies one answer as it comes.
  base::Result<> copy(http::Reply& bytes, bool framed);
  /// Whether more can come: the container runs.
  base::Result<bool> goes_on();

  Cli& cli_;
  client::Client& client_;
  std::string container_;
  client::LogsOptions options_;
  LogPosition position_;
  std::optional<bool> tty_;
  bool begun_ = false;
};

}  // namespace cli
