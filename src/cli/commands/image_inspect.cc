#include "cli/commands/all.h"
#include "cli/inspect.h"
#include "client/images.h"

namespace cli {

using base::Result;

namespace {

class ImageInspect final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("format", format_);
    flags("platform", platform_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    return print_inspected(cli, invocation.arguments, format_,
                           [&](const std::string& name) -> Result<Inspected> {
                             return inspected_image(TRY(client::Images{client}.inspect_raw(name, platform_)));
                           });
  }

 private:
  std::string format_, platform_;
};

}  // namespace

std::unique_ptr<Command> make_image_inspect() { return std::make_unique<ImageInspect>(); }

}  // namespace cli
