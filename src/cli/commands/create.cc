#include "cli/commands/all.h"
#include "cli/container/create.h"

namespace cli {

using base::Result;

namespace {

class Create final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    options_.bind(flags);
    create_.bind(flags);
  }
  [[nodiscard]] flags::Interspersed interspersed() const override { return flags::Interspersed::No; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    add_proxies(cli, client, options_.env);
    auto request = prepare(invocation);
    if (!request) {
      constexpr int kBadRequest = 125;
      cli.err().write(fmt::format("{}: {}\n\nRun '{} --help' for more information\n", cli.program(),
                                  request.error().message(), invocation.called));
      return kBadRequest;
    }
    cli.out().line("{}", TRY(create_container(cli, client, create_, options_, std::move(*request))));
    return 0;
  }

 private:
  Result<spec::api::CreateContainerRequest> prepare(const Invocation& invocation) {
    TRY(create_.check());
    return options_.request(invocation.arguments);
  }

  ContainerOptions options_;
  CreateFlags create_;
};

}  // namespace

std::unique_ptr<Command> make_create() { return std::make_unique<Create>(); }

}  // namespace cli
