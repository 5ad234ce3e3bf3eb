#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "cli/context/archive.h"
#include "cli/context/named.h"
#include "sys/fd_stream.h"
#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

class ContextImport final : public Command {
 public:
  [[nodiscard]] bool needs_daemon() const override { return false; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& name = invocation.arguments[0];
    TRY(check_context_name(name));
    if (TRY(cli.contexts().contains(name))) {
      return base::conflict(fmt::format("context {} already exists", base::quoted(name)));
    }
    sys::FdSource source{TRY(open(invocation.arguments[1]))};
    auto context = TRY(read_context(source));
    codec::Json endpoint = context.meta["Endpoints"][kDockerEndpoint];
    if (endpoint.is_object()) {
      if (!endpoint["SkipTLSVerify"].is_bool()) endpoint.set("SkipTLSVerify", false);
      context.meta = with_docker_endpoint(std::move(context.meta), std::move(endpoint));
    }
    TRY(save_context(cli, name, with_description(std::move(context.meta), ""), context.tls));
    cli.out().line("{}", name);
    cli.err().line("Successfully imported context {}", base::quoted(name));
    return 0;
  }

 private:
  static Result<sys::UniqueFd> open(const std::string& path) {
    if (path == "-") return sys::duplicate(0);
    auto file = sys::open_at(sys::kCwd, path, O_RDONLY);
    if (!file) return open_failure(path, file.error());
    return file;
  }
};

}  // namespace

std::unique_ptr<Command> make_context_import() { return std::make_unique<ContextImport>(); }

}  // namespace cli
