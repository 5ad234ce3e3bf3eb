#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "cli/progress/display.h"
#include "client/images.h"
#include "spec/reference.h"
#include "sys/fd_stream.h"
#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

class Import final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("change", options_.changes);
    flags("message", options_.message);
    flags("platform", options_.platform);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const std::string& source = invocation.arguments[0];
    if (invocation.arguments.size() > 1 && !invocation.arguments[1].empty()) {
      TRY(spec::Reference::parse(invocation.arguments[1]));
      options_.repository = invocation.arguments[1];
    }
    std::optional<sys::FdSource> archive;
    if (source.starts_with("http://") || source.starts_with("https://")) {
      options_.source = source;
    } else {
      archive.emplace(TRY(open(source)));
    }
    client::Client& client = *TRY(cli.client());
    auto stream = TRY(client::Images{client}.import(options_, archive ? &*archive : nullptr));
    TRY(show_progress(cli.out(), stream));
    return 0;
  }

 private:
  static Result<sys::UniqueFd> open(const std::string& source) {
    if (source == "-") return sys::duplicate(0);
    auto file = sys::open_at(sys::kCwd, source, O_RDONLY);
    if (!file) return open_failure(source, file.error());
    return file;
  }

  client::ImportOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_import() { return std::make_unique<Import>(); }

}  // namespace cli
