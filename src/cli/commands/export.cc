#include "cli/archive_output.h"
#include "cli/commands/all.h"
#include "client/container_files.h"

namespace cli {

namespace {

class Export final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("output", output_); }

  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    TRY(check_archive_output(cli, output_, "failed to export container"));
    const auto archive = TRY(client::ContainerFiles{*TRY(cli.client())}.export_tree(invocation.arguments[0]));
    TRY(write_archive(cli, *archive, output_));
    return 0;
  }

 private:
  std::string output_;
};

}  // namespace

std::unique_ptr<Command> make_export() { return std::make_unique<Export>(); }

}  // namespace cli
