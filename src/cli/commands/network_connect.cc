#include "base/strings.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "cli/container/network.h"

namespace cli {

using base::Result;

namespace {

class NetworkConnect final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("alias", flags::comma_list(aliases_));
    flags("driver-opt", flags::comma_list(driver_options_));
    flags("gw-priority", endpoint_.gw_priority);
    flags("ip", flags::ip(addresses_.ipv4_address));
    flags("ip6", flags::ip(addresses_.ipv6_address));
    flags("link", flags::custom<add_link>(links_, "list"));
    flags("link-local-ip", flags::comma_list(addresses_.link_local_ips));
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    const auto& names = invocation.arguments;
    for (const auto& text : driver_options_) {
      if (text.find('=') == std::string::npos) {
        return base::invalid("invalid key/value pair format in driver options");
      }
    }
    endpoint_.driver_opts = to_map(driver_options_);
    endpoint_.ipam_config = addresses_;
    endpoint_.aliases = aliases_;
    if (!links_.empty()) endpoint_.links = links_;
    client::ApiCall call{.method = "POST",
                         .path = "/networks/" + http::encode_segment(names[0]) + "/connect"};
    call.body = codec::Json::object({{"Container", names[1]}, {"EndpointConfig", codec::to_json(endpoint_)}});
    TRY(client.done(call));
    return 0;
  }

 private:
  spec::api::EndpointSettings endpoint_;
  spec::api::EndpointIpamConfig addresses_;
  std::vector<std::string> aliases_, links_, driver_options_;
};

}  // namespace

std::unique_ptr<Command> make_network_connect() { return std::make_unique<NetworkConnect>(); }

}  // namespace cli
