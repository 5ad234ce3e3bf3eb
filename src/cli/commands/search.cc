#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/human.h"
#include "cli/format/tab_writer.h"
#include "cli/pull.h"
#include "client/registries.h"

namespace cli {

using base::Result;

namespace {

struct Line {
  const spec::api::SearchResult& found;
  bool truncates;
  bool as_json;  ///< there, a flag is a word; in a table, a mark
};

std::string description(const Line& line) {
  constexpr std::size_t kWidth = 45;
  std::string text = line.found.description;
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\r', ' ');
  return line.truncates ? ellipsis(text, kWidth) : text;
}

std::string official(const Line& line) {
  if (line.as_json) return line.found.is_official ? "true" : "false";
  return line.found.is_official ? "[OK]" : "";
}

constexpr std::array kColumns{
    Column<Line>{"Description", "DESCRIPTION", description},
    Column<Line>{"IsOfficial", "OFFICIAL", official},
    Column<Line>{"Name", "NAME", [](const Line& l) { return l.found.name; }},
    Column<Line>{"StarCount", "STARS", [](const Line& l) { return fmt::to_string(l.found.star_count); }},
};

constexpr ListingStyle kStyle{.table = "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}",
                              .raw = {},
                              .quiet = {},
                              .type = "*registry.searchContext"};

/// The registry that the term names, as a reference of it.
Result<spec::Reference> place_of(const std::string& term) {
  const auto parts = base::cut(term, "/");
  const bool host = parts && (parts->first.find_first_of(".:") != std::string_view::npos || parts->first == "localhost");
  return spec::Reference::parse(host ? std::string{parts->first} + "/x" : "x");
}

class Search final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("filter", flags::custom<add_filter>(filters_, "filter"));
    flags("format", format_);
    flags("limit", limit_);
    flags("no-trunc", whole_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const std::string& term = invocation.arguments[0];
    std::optional<client::RegistryAuth> auth;
    if (const auto place = place_of(term)) auth = TRY(registry_auth(cli, *place));
    client::Client& client = *TRY(cli.client());
    const auto results =
        TRY(client::Registries{client}.search(term, static_cast<int>(limit_), filters_, auth));
    const auto format = resolve_format(format_, kStyle, false);
    const bool as_json = format.text.find("json") != std::string::npos;
    std::vector<Line> lines;
    for (const auto& found : results) lines.push_back({found, !whole_, as_json});
    TRY(print_items<Line>(cli.out(), format, kStyle, kColumns, lines));
    return 0;
  }

 private:
  client::Filters filters_;
  std::string format_;
  std::int64_t limit_ = 0;
  bool whole_ = false;
};

}  // namespace

std::unique_ptr<Command> make_search() { return std::make_unique<Search>(); }

}  // namespace cli
