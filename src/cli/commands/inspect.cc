#include "cli/inspect.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "client/containers.h"
#include "client/images.h"

namespace cli {

using base::Result;

namespace {

constexpr std::string_view kTypes =
    R"("config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume")";

struct Kind {
  std::string_view name;
  Result<Inspected> (*find)(client::Client& client, const std::string& name, bool size);
};

Result<Inspected> container(client::Client& client, const std::string& name, bool size) {
  return inspected_container(TRY(client::Containers{client}.inspect_raw(name, size)));
}
Result<Inspected> image(client::Client& client, const std::string& name, bool /*size*/) {
  return inspected_image(TRY(client::Images{client}.inspect_raw(name)));
}
Result<Inspected> network(client::Client& client, const std::string& name, bool /*size*/) {
  return Inspected{TRY(client.json({.path = "/networks/" + http::encode_segment(name)})), {}};
}
Result<Inspected> volume(client::Client& client, const std::string& name, bool /*size*/) {
  return Inspected{TRY(client.json({.path = "/volumes/" + http::encode_segment(name)})), {}};
}
Result<Inspected> plugin(client::Client& client, const std::string& name, bool /*size*/) {
  return Inspected{TRY(client.json({.path = "/plugins/" + http::encode_segment(name) + "/json"})), {}};
}
template <const char* noun>
Result<Inspected> of_swarm(client::Client& client, const std::string& name, bool /*size*/) {
  return Inspected{TRY(client.json({.path = fmt::format("/{}/{}", noun, http::encode_segment(name))})), {}};
}

constexpr char kConfigs[] = "configs";
constexpr char kNodes[] = "nodes";
constexpr char kSecrets[] = "secrets";
constexpr char kServices[] = "services";
constexpr char kTasks[] = "tasks";

/// In the order in which a name is looked for.
constexpr std::array kKinds{
    Kind{"container", container},
    Kind{"image", image},
    Kind{"network", network},
    Kind{"volume", volume},
    Kind{"service", of_swarm<kServices>},
    Kind{"task", of_swarm<kTasks>},
    Kind{"node", of_swarm<kNodes>},
    Kind{"plugin", plugin},
    Kind{"secret", of_swarm<kSecrets>},
    Kind{"config", of_swarm<kConfigs>},
};

/// Not there, or of a feature that this daemon has not got.
bool is_elsewhere(const base::Error& error) {
  if (!error.message().starts_with("Error response from daemon: ")) return false;
  return error.is(base::ErrorKind::NotFound) || error.is(base::ErrorKind::NotImplemented) ||
         error.is(base::ErrorKind::Unavailable);
}

class Inspect final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("format", format_);
    flags("size", size_);
    flags("type", type_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    if (invocation.flags.changed("type") && type_.empty()) {
      return base::invalid(fmt::format("type is empty: must be one of {}", kTypes));
    }
    const auto kind = std::ranges::find(kKinds, type_, &Kind::name);
    if (!type_.empty() && kind == kKinds.end()) {
      return base::invalid(fmt::format("unknown type: {}: must be one of {}", base::quoted(type_), kTypes));
    }
    client::Client& client = *TRY(cli.client());
    return print_inspected(cli, invocation.arguments, format_,
                           [&](const std::string& name) -> Result<Inspected> {
                             if (kind != kKinds.end()) return kind->find(client, name, size_);
                             for (const auto& candidate : kKinds) {
                               auto found = candidate.find(client, name, size_);
                               if (found) return found;
                               if (!is_elsewhere(found.error())) return found.error();
                             }
                             return base::not_found("Error: No such object: " + name);
                           });
  }

 private:
  std::string format_, type_;
  bool size_ = false;
};

}  // namespace

std::unique_ptr<Command> make_inspect() { return std::make_unique<Inspect>(); }

}  // namespace cli
