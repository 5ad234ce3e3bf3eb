#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/tab_writer.h"
#include "client/containers.h"

namespace cli {

namespace {

class Top final : public Command {
 public:
  [[nodiscard]] flags::Interspersed interspersed() const override { return flags::Interspersed::No; }

  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    const auto& arguments = invocation.arguments;
    const std::vector<std::string> ps_arguments(arguments.begin() + 1, arguments.end());
    const auto processes = TRY(client::Containers{client}.top(arguments[0], ps_arguments));
    std::string text = base::join(processes.titles, "\t") + "\n";
    for (const auto& line : processes.processes) text += base::join(line, "\t") + "\n";
    cli.out().write(align_tabs(text, {.least_width = 20, .padding = 3}));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_top() { return std::make_unique<Top>(); }

}  // namespace cli
