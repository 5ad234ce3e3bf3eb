#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/context/named.h"

namespace cli {

using base::Result;

namespace {

class ContextUse final : public Command {
 public:
  [[nodiscard]] bool needs_daemon() const override { return false; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& name = invocation.arguments[0];
    const bool is_default = name == kDefaultContext;
    if (!is_default) {
      TRY(check_context_name(name));
      TRY(cli.contexts().find(name));
    }
    Config& config = cli.config();
    const std::string value = is_default ? std::string{} : name;
    if (config.text("currentContext") != value) {
      config.set("currentContext", is_default ? codec::Json{} : codec::Json{value});
      TRY(config.save());
    }
    cli.out().line("{}", name);
    cli.err().line("Current context is now {}", base::quoted(name));
    if (!is_default) warn_of_host_variable(cli, base::quoted(name));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_context_use() { return std::make_unique<ContextUse>(); }

}  // namespace cli
