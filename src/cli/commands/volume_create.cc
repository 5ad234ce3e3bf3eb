#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/container/environment.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

class VolumeCreate final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("driver", driver_);
    flags("label", flags::custom<add_label>(labels_, "list"));
    flags("name", name_);
    flags("opt", options_);
    // Of cluster volumes, which exist in a swarm only.
    flags("availability", availability_);
    flags("group", cluster_text_);
    flags("limit-bytes", flags::bytes(cluster_bytes_));
    flags("required-bytes", flags::bytes(cluster_bytes_));
    flags("scope", cluster_scope_);
    flags("secret", cluster_secrets_);
    flags("sharing", sharing_);
    flags("topology-preferred", cluster_topology_);
    flags("topology-required", cluster_topology_);
    flags("type", access_type_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    if (!invocation.arguments.empty()) {
      if (!name_.empty()) {
        return base::invalid(
            "conflicting options: cannot specify a volume-name through both --name and as a positional arg");
      }
      name_ = invocation.arguments[0];
    }
    for (const std::string_view flag :
         {"availability", "group", "limit-bytes", "required-bytes", "scope", "secret", "sharing",
          "topology-preferred", "topology-required", "type"}) {
      if (invocation.flags.changed(flag)) {
        return base::invalid(
            fmt::format("--{} is for cluster volumes, and this daemon is no swarm manager", flag));
      }
    }
    client::Client& client = *TRY(cli.client());
    client::ApiCall call{.method = "POST", .path = "/volumes/create"};
    Json body = Json::object({{"Driver", driver_}});
    Json options;
    for (const auto& [name, value] : options_) options.set(name, value);
    Json labels;
    for (const auto& [name, value] : to_map(labels_)) labels.set(name, value);
    if (!options.is_null()) body.set("DriverOpts", std::move(options));
    if (!labels.is_null()) body.set("Labels", std::move(labels));
    if (!name_.empty()) body.set("Name", name_);
    call.body = std::move(body);
    cli.out().line("{}", TRY(client.json(call))["Name"].as_string());
    return 0;
  }

 private:
  std::string name_, driver_ = "local", availability_ = "active", cluster_text_, cluster_scope_ = "single",
                     sharing_ = "none", access_type_ = "block";
  std::vector<std::string> labels_, cluster_topology_;
  std::map<std::string, std::string> options_, cluster_secrets_;
  std::int64_t cluster_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_volume_create() { return std::make_unique<VolumeCreate>(); }

}  // namespace cli
