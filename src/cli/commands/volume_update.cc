#include "cli/cli.h"
#include "cli/commands/all.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

class VolumeUpdate final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("availability", availability_); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const std::string path = "/volumes/" + http::encode_segment(invocation.arguments[0]);
    client::Client& client = *TRY(cli.client());
    const Json volume = TRY(client.json({.path = path}));
    Json cluster = volume["ClusterVolume"];
    if (!cluster.is_object()) return base::invalid("can only update cluster volumes");
    Json spec = cluster["Spec"];
    if (invocation.flags.changed("availability")) spec.set("Availability", availability_);
    client::ApiCall call{.method = "PUT", .path = path};
    call.query.add("version", std::to_string(cluster["Version"]["Index"].as_uint()));
    call.body = Json::object({{"Spec", std::move(spec)}});
    TRY(client.done(call));
    return 0;
  }

 private:
  std::string availability_ = "active";
};

}  // namespace

std::unique_ptr<Command> make_volume_update() { return std::make_unique<VolumeUpdate>(); }

}  // namespace cli
