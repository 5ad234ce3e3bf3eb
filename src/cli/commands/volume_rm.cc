#include "cli/cli.h"
#include "cli/commands/all.h"

namespace cli {

using base::Result;

namespace {

class VolumeRm final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("force", force_); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    int status = 0;
    for (const auto& name : invocation.arguments) {
      client::ApiCall call{.method = "DELETE", .path = "/volumes/" + http::encode_segment(name)};
      if (force_) call.query.add("force", "1");
      if (const auto done = client.done(call)) {
        cli.out().line("{}", name);
      } else {
        cli.err().line("{}", done.error().message());
        status = 1;
      }
    }
    return status;
  }

 private:
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_volume_rm() { return std::make_unique<VolumeRm>(); }

}  // namespace cli
