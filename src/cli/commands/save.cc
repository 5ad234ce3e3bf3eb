#include "cli/archive_output.h"
#include "cli/commands/all.h"
#include "client/images.h"

namespace cli {

namespace {

class Save final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("output", output_);
    flags("platform", flags::comma_list(platforms_));
  }

  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    TRY(check_archive_output(cli, output_, "failed to save image"));
    client::Client& client = *TRY(cli.client());
    const auto archive = TRY(client::Images{client}.save(invocation.arguments, platforms_));
    TRY(write_archive(cli, *archive, output_));
    return 0;
  }

 private:
  std::string output_;
  std::vector<std::string> platforms_;
};

}  // namespace

std::unique_ptr<Command> make_save() { return std::make_unique<Save>(); }

}  // namespace cli
