#include <fmt/format.h>

#include "base/strings.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/context/store.h"

namespace cli {

using base::Result;

namespace {

Result<> remove_context(Cli& cli, const std::string& name, bool force) {
  if (name == kDefaultContext) return base::invalid("context \"default\" cannot be removed");
  const ContextStore store = cli.contexts();
  if (!force && !TRY(store.contains(name))) {
    return base::not_found(fmt::format("context {} does not exist", base::quoted(name)));
  }
  if (name == cli.context_name()) {
    if (!force) {
      return base::conflict(
          fmt::format("context {} is in use, set -f flag to force remove", base::quoted(name)));
    }
    // A file that names a context which is gone would break every command.
    Config& config = cli.config();
    if (config.text("currentContext") == name) {
      config.set("currentContext", {});
      TRY(config.save());
    }
  }
  return store.remove(name);
}

class ContextRm final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("force", force_); }
  [[nodiscard]] bool needs_daemon() const override { return false; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    int status = 0;
    std::string errors;
    for (const auto& name : invocation.arguments) {
      if (const auto removed = remove_context(cli, name, force_)) {
        cli.out().line("{}", name);
      } else {
        errors += removed.error().message() + '\n';
        status = 1;
      }
    }
    cli.err().write(errors);
    return status;
  }

 private:
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_context_rm() { return std::make_unique<ContextRm>(); }

}  // namespace cli
