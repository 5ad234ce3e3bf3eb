#include "cli/commands/all.h"
#include "cli/context/named.h"
#include "cli/inspect.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

Result<Inspected> inspected_context(Cli& cli, const std::string& name) {
  constexpr std::string_view kInMemory = "<IN MEMORY>";
  Json out = TRY(context_meta(cli, name));
  Json material{Json::Object{}};
  for (const auto& [endpoint, files] : TRY(context_tls(cli, name))) {
    Json names{Json::Array{}};
    for (const auto& [file, contents] : files) names.push(file);
    if (!files.empty()) material.set(endpoint, std::move(names));
  }
  out.set("TLSMaterial", std::move(material));
  const bool in_memory = name == kDefaultContext;
  out.set("Storage", Json::object({{"MetadataPath", in_memory ? kInMemory : cli.contexts().meta_path(name)},
                                   {"TLSPath", in_memory ? kInMemory : cli.contexts().tls_path(name)}}));
  return Inspected{.raw = std::move(out), .typed = {}, .escaped = true};
}

class ContextInspect final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("format", format_); }
  [[nodiscard]] bool needs_daemon() const override { return false; }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    auto names = invocation.arguments;
    if (names.empty()) names.push_back(cli.context_name());
    return print_inspected(cli, names, format_,
                           [&](const std::string& name) { return inspected_context(cli, name); });
  }

 private:
  std::string format_;
};

}  // namespace

std::unique_ptr<Command> make_context_inspect() { return std::make_unique<ContextInspect>(); }

}  // namespace cli
