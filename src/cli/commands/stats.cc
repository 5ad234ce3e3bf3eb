#include <array>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/format/human.h"
#include "cli/stats/collector.h"
#include "client/containers.h"
#include "flags/units.h"

namespace cli {

using base::Result;
using stats::Collector;
using stats::Usage;

namespace {

struct Line {
  const Usage& usage;
  bool truncates;
};

std::string pair(double first, double second) {
  return flags::human_size(first, 3) + " / " + flags::human_size(second, 3);
}

template <class Text>
std::string known(const Line& line, Text text) {
  return line.usage.stale ? std::string{"--"} : text(line.usage);
}

std::string memory(const Line& line) {
  if (line.usage.stale) return "-- / --";
  return flags::binary_size(line.usage.memory) + " / " + flags::binary_size(line.usage.memory_limit);
}

std::string name(const Line& line) {
  return line.usage.name.size() > 1 ? line.usage.name.substr(1) : std::string{"--"};
}

std::string id(const Line& line) { return line.truncates ? short_id(line.usage.id) : line.usage.id; }

constexpr std::array kColumns{
    Column<Line>{"BlockIO", "BLOCK I/O", [](const Line& l) { return known(l, [](const Usage& u) { return pair(u.read, u.written); }); }},
    Column<Line>{"CPUPerc", "CPU %", [](const Line& l) { return known(l, [](const Usage& u) { return fmt::format("{:.2f}%", u.cpu_percent); }); }},
    Column<Line>{"Container", "CONTAINER", [](const Line& l) { return l.usage.container; }},
    Column<Line>{"ID", "CONTAINER ID", id},
    Column<Line>{"MemPerc", "MEM %", [](const Line& l) { return known(l, [](const Usage& u) { return fmt::format("{:.2f}%", u.memory_percent); }); }},
    Column<Line>{"MemUsage", "MEM USAGE / LIMIT", memory},
    Column<Line>{"Name", "NAME", name},
    Column<Line>{"NetIO", "NET I/O", [](const Line& l) { return known(l, [](const Usage& u) { return pair(u.received, u.sent); }); }},
    Column<Line>{"PIDs", "PIDS", [](const Line& l) { return known(l, [](const Usage& u) { return fmt::to_string(u.pids); }); }},
};

constexpr std::string_view kTable =
    "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

class Stats final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("all", all_);
    flags("format", format_);
    flags("no-stream", no_stream_);
    flags("no-trunc", no_trunc_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::Client& client = *TRY(cli.client());
    Collector collector{client, no_stream_ ? Collector::Mode::Once : Collector::Mode::Stream};
    const bool every = invocation.arguments.empty();
    if (every) {
      // Events first: what starts while the list is made is in one of the two.
      if (!no_stream_) TRY(follow_events(client, collector));
      for (const auto& container : TRY(client::Containers{client}.list({.all = all_}))) {
        collector.watch(short_id(container.id));
      }
    }
    for (const auto& container : invocation.arguments) collector.watch(container);
    collector.wait_for_first();
    if (!every) {
      if (const auto errors = collector.errors(); !errors.empty()) return base::invalid(base::join(errors, "\n"));
    }
    const ListingStyle style{.table = kTable, .raw = {}, .quiet = kTable, .type = "*container.statsContext"};
    const auto format = resolve_format(format_or_config(cli, format_, "statsFormat", false), style, false);
    if (no_stream_) {
      const auto usages = collector.usages();
      if (!usages.empty()) cli.out().write(TRY(text_of(format, style, usages)));
      return 0;
    }
    return refresh(cli, collector, format, style, every);
  }

 private:
  Result<std::string> text_of(const ListingFormat& format, const ListingStyle& style,
                              const std::vector<Usage>& usages) const {
    std::vector<Line> lines;
    for (const auto& usage : usages) lines.push_back({usage, !no_trunc_});
    return items_text<Line>(format, style, kColumns, lines);
  }

  Result<int> refresh(Cli& cli, const Collector& collector, const ListingFormat& format, const ListingStyle& style,
                      bool every) const {
    constexpr std::chrono::milliseconds interval{500};
    while (!collector.ends_within(interval)) {
      const auto usages = collector.usages();
      // The whole screen in one write, each line clearing what it stands on.
      const std::string text = "\033[H" + TRY(text_of(format, style, usages));
      std::string screen;
      for (const auto line : base::split(text, '\n')) screen.append(line).append(" \033[K\n");
      cli.out().write(screen + "\033[J");
      if (cli.out().failed() || (usages.empty() && !every)) return 0;
    }
    return 0;
  }

  Result<> follow_events(client::Client& client, Collector collector) const {
    client::EventsOptions options;
    options.filters["type"] = {"container"};
    auto events = std::make_shared<client::JsonStream<spec::api::Event>>(TRY(client.events(options)));
    std::thread{[events, collector, all = all_]() mutable {
      while (true) {
        const auto event = events->next();
        if (!event || !*event) return collector.end();
        const std::string container = short_id((*event)->actor.id);
        const std::string& action = (*event)->action;
        if (action == "start" || (all && action == "create")) collector.watch(container);
        if ((action == "die" && !all) || action == "destroy") collector.forget(container);
      }
    }}.detach();
    return {};
  }

  std::string format_;
  bool all_ = false, no_stream_ = false, no_trunc_ = false;
};

}  // namespace

std::unique_ptr<Command> make_stats() { return std::make_unique<Stats>(); }

}  // namespace cli
