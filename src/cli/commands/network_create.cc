#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "cli/ipam.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

Json object_of(const std::map<std::string, std::string>& map) {
  Json out{Json::Object{}};
  for (const auto& [name, value] : map) out.set(name, value);
  return out;
}

class NetworkCreate final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("attachable", attachable_);
    flags("aux-address", ipam_.auxiliary);
    flags("config-from", config_from_);
    flags("config-only", config_only_);
    flags("driver", driver_);
    flags("gateway", flags::comma_list(ipam_.gateways));
    flags("ingress", ingress_);
    flags("internal", internal_);
    flags("ip-range", flags::comma_list(ipam_.ranges));
    flags("ipam-driver", ipam_driver_);
    flags("ipam-opt", ipam_options_);
    flags("ipv4", ipv4_);
    flags("ipv6", ipv6_);
    flags("label", flags::custom<add_label>(labels_, "list"));
    flags("opt", options_);
    flags("scope", scope_);
    flags("subnet", flags::comma_list(ipam_.subnets));
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const Json config = TRY(ipam_config(ipam_));
    client::Client& client = *TRY(cli.client());
    client::ApiCall call{.method = "POST", .path = "/networks/create"};
    Json body = Json::object({{"Name", invocation.arguments[0]}, {"Driver", driver_}, {"Scope", scope_}});
    // Not given leaves the choice to the daemon.
    if (invocation.flags.changed("ipv4")) body.set("EnableIPv4", ipv4_);
    if (invocation.flags.changed("ipv6")) body.set("EnableIPv6", ipv6_);
    body.set(
        "IPAM",
        Json::object({{"Driver", ipam_driver_}, {"Options", object_of(ipam_options_)}, {"Config", config}}));
    body.set("Internal", internal_);
    body.set("Attachable", attachable_);
    body.set("Ingress", ingress_);
    body.set("ConfigOnly", config_only_);
    body.set("ConfigFrom", config_from_.empty() ? Json{} : Json::object({{"Network", config_from_}}));
    body.set("Options", object_of(options_));
    body.set("Labels", object_of(to_map(labels_)));
    call.body = std::move(body);
    const Json answer = TRY(client.json(call));
    if (const auto& warning = answer["Warning"].as_string(); !warning.empty()) {
      cli.err().line("WARNING: {}", warning);
    }
    cli.out().line("{}", answer["Id"].as_string());
    return 0;
  }

 private:
  IpamFlags ipam_;
  bool attachable_ = false, config_only_ = false, ingress_ = false, internal_ = false, ipv4_ = true,
       ipv6_ = false;
  std::string config_from_, driver_ = "bridge", ipam_driver_ = "default", scope_;
  std::map<std::string, std::string> ipam_options_, options_;
  std::vector<std::string> labels_;
};

}  // namespace

std::unique_ptr<Command> make_network_create() { return std::make_unique<NetworkCreate>(); }

}  // namespace cli
