#include "cli/cli.h"
#include "cli/commands/all.h"
#include "client/images.h"

namespace cli {

using base::Result;

namespace {

class Rmi final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("force", force_);
    flags("no-prune", no_prune_);
    flags("platform", flags::comma_list(platforms_));
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    int status = 0;
    for (const auto& name : invocation.arguments) {
      const auto removed = client::Images{client}.remove(name, force_, no_prune_);
      if (!removed) {
        cli.err().line("{}", removed.error().message());
        // What is to be gone anyway may be gone already.
        if (!force_) status = 1;
        continue;
      }
      std::string text;
      for (const auto& item : *removed) {
        text += item.deleted.empty() ? "Untagged: " + item.untagged : "Deleted: " + item.deleted;
        text += '\n';
      }
      cli.out().write(text);
    }
    return status;
  }

 private:
  bool force_ = false, no_prune_ = false;
  std::vector<std::string> platforms_;
};

}  // namespace

std::unique_ptr<Command> make_rmi() { return std::make_unique<Rmi>(); }

}  // namespace cli
