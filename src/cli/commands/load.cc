#include <unistd.h>

#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "cli/progress/display.h"
#include "cli/cli.h"
#include "sys/fd_stream.h"
#include "sys/file.h"
#include "sys/pty.h"

namespace cli {

using base::Result;

namespace {

class Load final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("input", input_);
    flags("platform", flags::comma_list(platforms_));
    flags("quiet", quiet_);
  }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    if (input_.empty() && sys::is_terminal(0)) {
      return base::invalid("requested load from stdin, but stdin is empty");
    }
    sys::FdSource archive{TRY(open())};
    client::Client& client = *TRY(cli.client());
    const bool quiet = quiet_ || !cli.out().is_terminal();
    auto stream = TRY(client::Images{client}.load(archive, quiet, platforms_));
    TRY(show_progress(cli.out(), stream));
    return 0;
  }

 private:
  Result<sys::UniqueFd> open() const {
    if (input_.empty()) return sys::duplicate(0);
    auto file = sys::open_at(sys::kCwd, input_, O_RDONLY);
    if (!file) return open_failure(input_, file.error());
    return file;
  }

  std::string input_;
  std::vector<std::string> platforms_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_load() { return std::make_unique<Load>(); }

}  // namespace cli
