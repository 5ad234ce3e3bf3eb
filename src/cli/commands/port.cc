#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "client/containers.h"

namespace cli {

using base::Result;

namespace {

std::string address(const spec::api::PortBinding& binding) {
  const bool v6 = binding.host_ip.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", binding.host_ip, v6 ? "]" : "", binding.host_port);
}

class Port final : public Command {
 public:
  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    const std::string& name = invocation.arguments[0];
    const auto container = TRY(client::Containers{client}.inspect(name));
    const auto& ports = container.network_settings.ports;
    if (invocation.arguments.size() > 1) return one(cli, ports, name, invocation.arguments[1]);
    std::string text;
    for (const auto& [port, bindings] : ports) {
      if (!bindings) continue;
      for (const auto& binding : *bindings) text += fmt::format("{} -> {}\n", port, address(binding));
    }
    cli.out().write(text);
    return 0;
  }

 private:
  static Result<int> one(Cli& cli, const spec::api::PortMap& ports, const std::string& name,
                         const std::string& wanted) {
    const auto parts = base::cut(wanted, "/");
    const std::string number{parts ? parts->first : wanted};
    const std::string protocol = parts && !parts->second.empty() ? base::to_lower(parts->second) : "tcp";
    if (!base::parse_uint(number)) {
      return base::invalid(
          fmt::format("Error: invalid port ({}): strconv.ParseUint: parsing {}: invalid syntax", number,
                      base::quoted(number)));
    }
    const auto at = ports.find(number + "/" + protocol);
    if (at == ports.end() || !at->second) {
      return base::not_found(
          fmt::format("Error: No public port '{}/{}' published for {}", number, protocol, name));
    }
    for (const auto& binding : *at->second) cli.out().line("{}", address(binding));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_port() { return std::make_unique<Port>(); }

}  // namespace cli
