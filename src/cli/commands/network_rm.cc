#include "cli/cli.h"
#include "cli/commands/all.h"

namespace cli {

using base::Result;

namespace {

class NetworkRm final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("force", force_); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    int status = 0;
    for (const auto& name : invocation.arguments) {
      const auto done = client.done({.method = "DELETE", .path = "/networks/" + http::encode_segment(name)});
      if (done) {
        cli.out().line("{}", name);
      } else if (!force_ || !done.error().is(base::ErrorKind::NotFound)) {
        cli.err().line("{}", done.error().message());
        status = 1;
      }
    }
    if (status != 0) cli.err().line("exit status {}", status);
    return status;
  }

 private:
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_network_rm() { return std::make_unique<NetworkRm>(); }

}  // namespace cli
