#include <algorithm>
#include <array>

#include "base/time.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/human.h"
#include "cli/format/tab_writer.h"
#include "client/images.h"
#include "flags/units.h"

namespace cli {

using base::Result;

namespace {

struct Line {
  const spec::api::ImageHistoryItem& step;
  bool truncates, human;
};

std::string created_at(const Line& line) {
  return base::to_rfc3339(base::Time{std::chrono::seconds{line.step.created}}, base::Fraction::None);
}

std::string created_since(const Line& line) {
  if (!line.human) return created_at(line);
  return line.step.created <= 0 ? std::string{} : ago(line.step.created);
}

std::string created_by(const Line& line) {
  constexpr std::size_t kWidth = 45;
  std::string text = line.step.created_by;
  std::ranges::replace(text, '\t', ' ');
  return line.truncates ? ellipsis(text, kWidth) : text;
}

std::string id(const Line& line) {
  return line.truncates && line.step.id != "<missing>" ? short_id(line.step.id) : line.step.id;
}

std::string size(const Line& line) {
  return line.human ? flags::human_size(static_cast<double>(line.step.size), 3)
                    : fmt::to_string(line.step.size);
}

constexpr std::size_t kCreatedSince = 3;
constexpr std::array kColumns{
    Column<Line>{"Comment", "COMMENT", [](const Line& l) { return l.step.comment; }},
    Column<Line>{"CreatedAt", "CREATED AT", created_at},
    Column<Line>{"CreatedBy", "CREATED BY", created_by},
    Column<Line>{"CreatedSince", "CREATED", created_since},
    Column<Line>{"ID", "IMAGE", id},
    Column<Line>{"Size", "SIZE", size},
};

constexpr ListingStyle kStyle{
    .table =
        "{{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.CreatedBy}}\t{{.Size}}\t"
        "{{.Comment}}",
    .raw = {},
    .quiet = "{{.ID}}",
    .type = "*image.historyContext"};

class History final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("format", format_);
    flags("human", human_);
    flags("no-trunc", whole_);
    flags("platform", platform_);
    flags("quiet", quiet_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    const auto steps = TRY(client::Images{client}.history(invocation.arguments[0], platform_));
    std::vector<Line> lines;
    for (const auto& step : steps) lines.push_back({step, !whole_, human_});
    auto columns = kColumns;
    if (!human_) columns[kCreatedSince].heading = "CREATED AT";
    TRY(print_items<Line>(cli.out(), resolve_format(format_, kStyle, quiet_), kStyle, columns, lines));
    return 0;
  }

 private:
  std::string format_, platform_;
  bool human_ = true, whole_ = false, quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_history() { return std::make_unique<History>(); }

}  // namespace cli
