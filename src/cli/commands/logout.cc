#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/credential_store.h"

namespace cli {

using base::Result;

namespace {

class Logout final : public Command {
 public:
  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const std::string hub = "https://index.docker.io/v1/";
    const std::string given = invocation.arguments.empty() ? hub : invocation.arguments[0];
    std::vector<std::string> servers{given};
    std::string name = given;
    if (given != hub) {
      name = host_of_server(given);
      // Every form that a login may have been kept under.
      servers = {given, name, "http://" + name, "https://" + name};
    }
    cli.out().line("Removing login credentials for {}", name);
    std::vector<std::string> failures;
    for (const auto& server : servers) {
      if (auto erased = erase_credentials(cli, server); !erased) failures.push_back(erased.error().message());
    }
    if (failures.size() == servers.size()) {
      return base::internal("could not erase credentials:\n" + base::join(failures, "\n"));
    }
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_logout() { return std::make_unique<Logout>(); }

}  // namespace cli
