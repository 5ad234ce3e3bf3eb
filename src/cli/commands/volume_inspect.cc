#include "cli/commands/all.h"
#include "cli/inspect.h"

namespace cli {

using base::Result;

namespace {

class VolumeInspect final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("format", format_); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    return print_inspected(
        cli, invocation.arguments, format_, [&](const std::string& name) -> Result<Inspected> {
          return Inspected{TRY(client.json({.path = "/volumes/" + http::encode_segment(name)})), {}};
        });
  }

 private:
  std::string format_;
};

}  // namespace

std::unique_ptr<Command> make_volume_inspect() { return std::make_unique<VolumeInspect>(); }

}  // namespace cli
