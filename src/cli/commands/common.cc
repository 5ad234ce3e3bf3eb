#include "cli/commands/common.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/progress/meter.h"
#include "flags/units.h"
#include "sys/fd.h"

namespace cli {

using base::Result;

Result<> add_filter(client::Filters& filters, std::string_view text) {
  if (text.empty()) return {};
  const auto pair = base::cut(text, "=");
  if (!pair) return base::invalid("bad format of filter (expected name=value)");
  filters[base::to_lower(base::trim(pair->first))].emplace_back(base::trim(pair->second));
  return {};
}

Result<int> for_each_name(Cli& cli, const std::vector<std::string>& names,
                          base::FunctionRef<Result<>(client::Client&, const std::string&)> act) {
  client::Client& client = *TRY(cli.client());
  std::vector<Result<>> results(names.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < names.size(); i = next++) results[i] = act(client, names[i]);
  };
  constexpr std::size_t kMostThreads = 16;
  {
    const Waiting waiting{cli.err(), names.size() == 1 ? names[0] : fmt::format("{} objects", names.size())};
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(names.size(), kMostThreads); ++i) helpers.emplace_back(work);
    work();
  }
  int status = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (results[i]) {
      cli.out().line("{}", names[i]);
    } else {
      cli.err().line("{}", results[i].error().message());
      status = 1;
    }
  }
  return status;
}

bool confirm(Cli& cli, std::string_view question) {
  cli.out().print("{} [y/N] ", question);
  std::string answer;
  std::array<char, 1> letter{};
  while (const auto count = sys::read_some(0, letter)) {
    if (*count == 0 || letter[0] == '\n') break;
    answer += letter[0];
  }
  return base::to_lower(base::trim(answer)) == "y";
}

std::string format_or_config(Cli& cli, const std::string& given, std::string_view key, bool quiet) {
  if (!given.empty() || quiet) return given;
  return cli.config().text(key);
}

void PruneOptions::bind(FlagBinder& flags) {
  flags("filter", flags::custom<add_filter>(filters, "filter"));
  flags("force", force);
}

Result<codec::Json> prune(Cli& cli, client::Client& client, const char* path, const client::Filters& filters,
                          bool dry_run) {
  const Waiting waiting{cli.err(), "Removing what is not used"};
  return client.prune(path, filters, dry_run);
}

void print_deleted(Cli& cli, std::string_view heading, const codec::Json& names) {
  if (names.as_array().empty()) return;
  std::string text{heading};
  for (const auto& name : names.as_array()) text.append("\n").append(name.as_string());
  cli.out().line("{}\n", text);
}

codec::Json deleted_image_lines(const codec::Json& report) {
  codec::Json lines{codec::Json::Array{}};
  for (const auto& item : report["ImagesDeleted"].as_array()) {
    const auto& untagged = item["Untagged"].as_string();
    lines.push(untagged.empty() ? "deleted: " + item["Deleted"].as_string() : "untagged: " + untagged);
  }
  return lines;
}

void print_reclaimed(Cli& cli, std::int64_t bytes) {
  cli.out().line("Total reclaimed space: {}", flags::human_size(static_cast<double>(bytes)));
}

void StopFlags::bind(FlagBinder& flags) {
  flags("timeout", flags::value(timeout));
  flags("time", flags::value(time));
  flags("signal", signal);
}

Result<std::optional<std::int64_t>> StopFlags::seconds() const {
  if (timeout && time) {
    return base::invalid("conflicting options: cannot specify both --timeout and --time");
  }
  return timeout ? timeout : time;
}

}  // namespace cli
