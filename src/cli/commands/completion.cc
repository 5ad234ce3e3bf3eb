/// `completion bash`, `zsh`, `fish` and `powershell`.
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/completion/scripts.h"

namespace cli {

namespace {

template <const char* shell>
class Completion final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("no-descriptions", plain_); }
  [[nodiscard]] bool needs_daemon() const override { return false; }

  base::Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    cli.out().write(*completion_script(shell, cli.program(), !plain_));
    return 0;
  }

 private:
  bool plain_ = false;
};

constexpr char kBash[] = "bash";
constexpr char kFish[] = "fish";
constexpr char kPowershell[] = "powershell";
constexpr char kZsh[] = "zsh";

}  // namespace

std::unique_ptr<Command> make_completion_bash() { return std::make_unique<Completion<kBash>>(); }
std::unique_ptr<Command> make_completion_fish() { return std::make_unique<Completion<kFish>>(); }
std::unique_ptr<Command> make_completion_powershell() { return std::make_unique<Completion<kPowershell>>(); }
std::unique_ptr<Command> make_completion_zsh() { return std::make_unique<Completion<kZsh>>(); }

}  // namespace cli
