#include "cli/commands/all.h"
#include "cli/inspect.h"

namespace cli {

using base::Result;

namespace {

class NetworkInspect final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("format", format_);
    flags("verbose", verbose_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    return print_inspected(cli, invocation.arguments, format_,
                           [&](const std::string& name) -> Result<Inspected> {
                             client::ApiCall call{.path = "/networks/" + http::encode_segment(name)};
                             if (verbose_) call.query.add("verbose", "true");
                             return Inspected{TRY(client.json(call)), {}};
                           });
  }

 private:
  std::string format_;
  bool verbose_ = false;
};

}  // namespace

std::unique_ptr<Command> make_network_inspect() { return std::make_unique<NetworkInspect>(); }

}  // namespace cli
