#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/context/endpoint.h"
#include "cli/context/named.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

class ContextCreate final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("description", description_);
    flags("docker", flags::custom<add_endpoint_setting>(docker_, "stringToString", "[]"));
    flags("from", from_);
  }
  [[nodiscard]] bool needs_daemon() const override { return false; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& name = invocation.arguments[0];
    TRY(check_context_name(name));
    if (TRY(cli.contexts().contains(name))) {
      return base::conflict(fmt::format("context {} already exists", base::quoted(name)));
    }
    Json meta;
    ContextTls tls;
    if (docker_.empty()) {
      const std::string source = from_.empty() ? cli.context_name() : from_;
      meta = TRY(context_meta(cli, source));
      tls = TRY(context_tls(cli, source));
      const bool of_default = source == kDefaultContext && description_.empty();
      meta = with_description(std::move(meta), of_default ? std::string{kDefaultDescription} : description_);
    } else {
      if (!from_.empty()) return base::invalid("cannot use --docker flag when --from is set");
      auto settings = TRY(endpoint_from_settings(cli, docker_));
      meta = with_docker_endpoint(with_description({}, description_), std::move(settings.endpoint));
      if (!settings.tls.empty()) tls[kDockerEndpoint] = std::move(settings.tls);
    }
    TRY(save_context(cli, name, std::move(meta), tls));
    cli.out().line("{}", name);
    cli.err().line("Successfully created context {}", base::quoted(name));
    return 0;
  }

 private:
  std::string description_, from_;
  std::map<std::string, std::string> docker_;
};

}  // namespace

std::unique_ptr<Command> make_context_create() { return std::make_unique<ContextCreate>(); }

}  // namespace cli
