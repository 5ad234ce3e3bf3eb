#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/context/named.h"

namespace cli {

using base::Result;

namespace {

class ContextUpdate final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("description", description_);
    flags("docker", flags::custom<add_endpoint_setting>(docker_, "stringToString", "[]"));
  }
  [[nodiscard]] bool needs_daemon() const override { return false; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& name = invocation.arguments[0];
    TRY(check_context_name(name));
    auto meta = with_description(TRY(cli.contexts().find(name)), description_);
    auto tls = TRY(cli.contexts().tls(name));
    if (!docker_.empty()) {
      auto settings = TRY(endpoint_from_settings(cli, docker_));
      meta = with_docker_endpoint(std::move(meta), std::move(settings.endpoint));
      tls[kDockerEndpoint] = std::move(settings.tls);
    }
    TRY(save_context(cli, name, std::move(meta), tls));
    cli.out().line("{}", name);
    cli.err().line("Successfully updated context {}", base::quoted(name));
    return 0;
  }

 private:
  std::string description_;
  std::map<std::string, std::string> docker_;
};

}  // namespace

std::unique_ptr<Command> make_context_update() { return std::make_unique<ContextUpdate>(); }

}  // namespace cli
