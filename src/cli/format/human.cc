#include "cli/format/human.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <tuple>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/time.h"

namespace cli {

std::string short_id(std::string_view id) {
  if (const auto colon = id.find(':'); colon != std::string_view::npos) id.remove_prefix(colon + 1);
  return std::string{id.substr(0, 12)};
}

std::string ago(std::int64_t unix_seconds) {
  const auto then = base::Time{std::chrono::seconds{unix_seconds}};
  return base::human_duration(base::now() - then) + " ago";
}

std::string local_time(std::int64_t unix_seconds) { return local_time(unix_seconds, 0); }

std::string local_time(std::int64_t unix_seconds, std::int64_t nanoseconds) {
  const std::time_t seconds = unix_seconds;
  std::tm parts{};
  if (::localtime_r(&seconds, &parts) == nullptr) return {};
  std::array<char, 64> date{};
  std::array<char, 64> zone{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &parts);
  std::strftime(zone.data(), zone.size(), "%z %Z", &parts);
  std::string fraction;
  if (nanoseconds != 0) {
    fraction = fmt::format(".{:09}", nanoseconds);
    fraction.erase(fraction.find_last_not_of('0') + 1);
  }
  return fmt::format("{}{} {}", date.data(), fraction, zone.data());
}

std::string label_list(const spec::api::Labels& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out += ',';
    out += key + "=" + value;
  }
  return out;
}

namespace {

std::string with_host(std::string_view host, std::string_view port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

struct PortGroup {
  std::string host, protocol;
  unsigned first, last;
  [[nodiscard]] std::string text() const {
    const std::string range = first == last ? fmt::to_string(first) : fmt::format("{}-{}", first, last);
    if (host.empty()) return fmt::format("{}/{}", range, protocol);
    return fmt::format("{}->{}/{}", with_host(host, range), range, protocol);
  }
};

}  // namespace

std::string port_list(std::vector<spec::api::PortSummary> ports) {
  std::ranges::sort(ports, {}, [](const auto& port) {
    return std::tuple{port.private_port, port.ip, port.public_port, port.type};
  });
  std::vector<PortGroup> open;  // in the order in which they were begun
  std::vector<std::string> out;
  std::vector<std::string> mapped;
  for (const auto& port : ports) {
    if (!port.ip.empty() && port.public_port != port.private_port) {
      mapped.push_back(fmt::format("{}->{}/{}", with_host(port.ip, fmt::to_string(port.public_port)),
                                   port.private_port, port.type));
      continue;
    }
    const auto group = std::ranges::find_if(open, [&](const PortGroup& candidate) {
      return candidate.host == port.ip && candidate.protocol == port.type;
    });
    if (group == open.end()) {
      open.push_back({port.ip, port.type, port.private_port, port.private_port});
    } else if (port.private_port == group->last + 1) {
      ++group->last;
    } else {
      out.push_back(group->text());
      group->first = group->last = port.private_port;
    }
  }
  for (const auto& group : open) out.push_back(group.text());
  out.insert(out.end(), mapped.begin(), mapped.end());
  return base::join(out, ", ");
}

std::string familiar(std::string_view name) {
  for (const std::string_view prefix : {"docker.io/library/", "docker.io/"}) {
    if (name.starts_with(prefix)) return std::string{name.substr(prefix.size())};
  }
  return std::string{name};
}

}  // namespace cli
