#include "cli/commands/all.h"
#include "cli/inspect.h"
#include "client/containers.h"

namespace cli {

using base::Result;

namespace {

class ContainerInspect final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("format", format_);
    flags("size", size_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    return print_inspected(
        cli, invocation.arguments, format_, [&](const std::string& name) -> Result<Inspected> {
          return inspected_container(TRY(client::Containers{client}.inspect_raw(name, size_)));
        });
  }

 private:
  std::string format_;
  bool size_ = false;
};

}  // namespace

std::unique_ptr<Command> make_container_inspect() { return std::make_unique<ContainerInspect>(); }

}  // namespace cli
