#include <algorithm>
#include <array>

#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/context/named.h"
#include "cli/format/human.h"
#include "cli/format/natural_order.h"
#include "cli/format/tab_writer.h"

namespace cli {

using base::Result;

namespace {

struct Line {
  std::string name, description, endpoint, error;
  bool current = false;
};

constexpr std::size_t kErrorWidth = 45;

constexpr std::array kColumns{
    Column<Line>{"Current", "", [](const Line& l) { return std::string{l.current ? "true" : "false"}; },
                 ColumnType::Bool},
    Column<Line>{"Description", "DESCRIPTION", [](const Line& l) { return l.description; }},
    Column<Line>{"DockerEndpoint", "DOCKER ENDPOINT", [](const Line& l) { return l.endpoint; }},
    Column<Line>{"Error", "ERROR", [](const Line& l) { return ellipsis(l.error, kErrorWidth); }},
    Column<Line>{"Name", "NAME", [](const Line& l) { return l.name; }},
};

constexpr ListingStyle kStyle{
    .table = "{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}",
    .raw = "",
    .quiet = "{{.Name}}",
    .type = "*formatter.clientContextContext"};

class ContextLs final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("format", format_);
    flags("quiet", quiet_);
  }
  [[nodiscard]] bool needs_daemon() const override { return false; }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    auto lines = TRY(collect(cli));
    const std::string current = cli.context_name();
    for (auto& line : lines) line.current = line.name == current;
    if (std::ranges::none_of(lines, &Line::current)) {
      // A name that nothing stands behind is shown with the reason.
      const auto missing = cli.contexts().find(current);
      lines.push_back({.name = current,
                       .description = {},
                       .endpoint = {},
                       .error = missing ? std::string{} : missing.error().message(),
                       .current = true});
    }
    std::ranges::sort(lines, [](const Line& a, const Line& b) { return natural_less(a.name, b.name); });
    const auto format = resolve_format(format_, kStyle, quiet_);
    TRY(print_items<Line>(cli.out(), format, kStyle, kColumns, lines));
    warn_of_host_variable(cli, "a context");
    return 0;
  }

 private:
  static Result<std::vector<Line>> collect(Cli& cli) {
    std::vector<Line> out;
    const auto target = cli.target_of(std::string{kDefaultContext});
    out.push_back({.name = std::string{kDefaultContext},
                   .description = std::string{kDefaultDescription},
                   .endpoint = target ? target->host : std::string{},
                   .error = target ? std::string{} : target.error().message()});
    for (const auto& meta : TRY(cli.contexts().list())) {
      out.push_back({.name = meta["Name"].as_string(),
                     .description = meta["Metadata"]["Description"].as_string(),
                     .endpoint = meta["Endpoints"][kDockerEndpoint]["Host"].as_string(),
                     .error = {}});
    }
    return out;
  }

  std::string format_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_context_ls() { return std::make_unique<ContextLs>(); }

}  // namespace cli
