#include "cli/inspect.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/as_run/as_run.h"
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
    flags("as-run", as_run_);
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
    if (as_run_) return print_as_run(cli, client, invocation.arguments);
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
  Result<int> print_as_run(Cli& cli, client::Client& client, const std::vector<std::string>& names) {
    if (!format_.empty()) return base::invalid("conflicting options: cannot specify both --as-run and --format");
    if (!type_.empty() && type_ != "container") {
      return base::invalid(fmt::format("--as-run is of containers: there is no {} to run", type_));
    }
    AsRunFacts facts = facts_of(TRY(client.info()));
    int status = 0;
    for (const auto& name : names) {
      const auto container = client::Containers{client}.inspect(name);
      if (!container) {
        cli.err().line("{}", container.error().message());
        status = 1;
        continue;
      }
      auto image = client::Images{client}.inspect(container->image);
      if (!image && !image.failed_as(base::ErrorKind::NotFound)) return image.error();
      facts.image.reset();
      if (image) facts.image = std::move(image->config);
      auto words = as_run_words(*container, facts);
      words.insert(words.begin(), cli.program());
      cli.out().line("{}", shell_line(words));
    }
    return status;
  }

  std::string format_, type_;
  bool size_ = false, as_run_ = false;
};

}  // namespace

std::unique_ptr<Command> make_inspect() { return std::make_unique<Inspect>(); }

}  // namespace cli
