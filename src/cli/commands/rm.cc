#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "client/containers.h"

namespace cli {

namespace {

class Rm final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("force", options_.force);
    flags("link", options_.link);
    flags("volumes", options_.volumes);
  }

  base::Result<int> run(Cli& cli, const Invocation& invocation) override {
    const int status =
        TRY(for_each_name(cli, invocation.arguments, [&](client::Client& client, const std::string& name) {
          // As docker: a leading slash is how the API writes a name.
          const std::string bare = name.substr(std::min(name.find_first_not_of('/'), name.size()));
          if (bare.empty()) return base::Result<>{base::invalid("Container name cannot be empty")};
          return client::Containers{client}.remove(bare, options_);
        }));
    // What is to be gone anyway may be gone already.
    return options_.force ? 0 : status;
  }

 private:
  client::RemoveOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_rm() { return std::make_unique<Rm>(); }

}  // namespace cli
