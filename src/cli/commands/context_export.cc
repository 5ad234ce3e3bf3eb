#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "cli/context/archive.h"
#include "cli/context/named.h"
#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

class ContextExport final : public Command {
 public:
  [[nodiscard]] bool needs_daemon() const override { return false; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& arguments = invocation.arguments;
    const std::string path = arguments.size() > 1 ? arguments[1] : arguments[0] + ".dockercontext";
    if (path == "-" && cli.out().is_terminal()) {
      return base::invalid("cowardly refusing to export to a terminal, specify a file path");
    }
    const ContextArchive context{TRY(context_meta(cli, arguments[0])), TRY(context_tls(cli, arguments[0]))};
    base::StringSink archive;
    TRY(write_context(archive, context));
    if (path == "-") {
      cli.out().write(archive.text);
      return 0;
    }
    // It may hold a private key.
    const auto file = sys::open_at(sys::kCwd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!file) return open_failure(path, file.error());
    TRY(sys::write_all(file->get(), archive.text).context("write " + path));
    cli.err().line("Written file {}", base::quoted(path));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_context_export() { return std::make_unique<ContextExport>(); }

}  // namespace cli
