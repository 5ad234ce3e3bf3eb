#include <array>
#include <ctime>

#include <fmt/format.h>

#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "cli/logs/time_option.h"
#include "cli/template/template.h"

namespace cli {

using base::Result;

namespace {

/// RFC 3339 with nine digits, in the local time zone.
std::string local_rfc3339(std::int64_t nanoseconds) {
  const std::time_t seconds = nanoseconds / 1'000'000'000;
  std::tm parts{};
  if (::localtime_r(&seconds, &parts) == nullptr) return {};
  std::array<char, 64> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const long minutes = parts.tm_gmtoff / 60;
  const std::string zone = minutes == 0 ? "Z"
                                        : fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+',
                                                      std::abs(minutes) / 60, std::abs(minutes) % 60);
  return fmt::format("{}.{:09}{}", date.data(), nanoseconds % 1'000'000'000, zone);
}

std::string plain(const spec::api::Event& event) {
  const std::int64_t when = event.time_nano != 0 ? event.time_nano : event.time * 1'000'000'000;
  std::string out = fmt::format("{} {} {} {}", local_rfc3339(when), event.type, event.action, event.actor.id);
  std::string attributes;
  for (const auto& [name, value] : event.actor.attributes) {
    attributes += fmt::format("{}{}={}", attributes.empty() ? "" : ", ", name, value);
  }
  if (!attributes.empty()) out += " (" + attributes + ")";
  return out;
}

class Events final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("filter", flags::custom<add_filter>(options_.filters, "filter"));
    flags("format", format_);
    flags("since", options_.since);
    flags("until", options_.until);
  }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    constexpr int kBadTemplate = 64;
    options_.since = TRY(time_option("since", options_.since));
    options_.until = TRY(time_option("until", options_.until));
    const bool json = format_ == "json" || format_ == "{{json .}}";
    const auto parsed = tmpl::Template::parse("", json ? "" : format_);
    if (!parsed) {
      cli.err().line("Error parsing format: {}", parsed.error().message());
      return kBadTemplate;
    }
    client::Client& client = *TRY(cli.client());
    auto events = TRY(client.events(options_));
    while (const auto event = TRY(events.next())) {
      std::string out;
      if (json) {
        out = codec::to_json(*event).dump();
      } else if (format_.empty()) {
        out = plain(*event);
      } else {
        TRY(parsed->execute(out, tmpl::value_of(*event)));
      }
      cli.out().write(out + "\n");
    }
    return 0;
  }

 private:
  client::EventsOptions options_;
  std::string format_;
};

}  // namespace

std::unique_ptr<Command> make_events() { return std::make_unique<Events>(); }

}  // namespace cli
