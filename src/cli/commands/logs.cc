#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/logs/follower.h"
#include "cli/logs/time_option.h"

namespace cli {

using base::Result;

namespace {

class Logs final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("details", options_.details);
    flags("follow", options_.follow);
    flags("since", options_.since);
    flags("tail", options_.tail);
    flags("timestamps", options_.timestamps);
    flags("until", options_.until);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    options_.since = TRY(time_option("since", options_.since));
    options_.until = TRY(time_option("until", options_.until));
    TRY(LogFollower{cli, client, invocation.arguments[0], options_}.run());
    return 0;
  }

 private:
  client::LogsOptions options_{.tail = "all"};
};

}  // namespace

std::unique_ptr<Command> make_logs() { return std::make_unique<Logs>(); }

}  // namespace cli
