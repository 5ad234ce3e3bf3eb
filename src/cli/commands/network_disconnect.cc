#include "cli/cli.h"
#include "cli/commands/all.h"

namespace cli {

using base::Result;

namespace {

class NetworkDisconnect final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("force", force_); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    const auto& names = invocation.arguments;
    client::ApiCall call{.method = "POST",
                         .path = "/networks/" + http::encode_segment(names[0]) + "/disconnect"};
    call.body = codec::Json::object({{"Container", names[1]}, {"Force", force_}});
    TRY(client.done(call));
    return 0;
  }

 private:
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_network_disconnect() { return std::make_unique<NetworkDisconnect>(); }

}  // namespace cli
