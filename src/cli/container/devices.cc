#include "cli/container/devices.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/csv.h"
#include "cli/container/environment.h"
#include "flags/units.h"

namespace cli {

using base::Result;

namespace {

using Parts = std::vector<std::string_view>;

/// Some of "rwm", each once.
bool is_device_mode(std::string_view text) {
  std::string_view allowed = "rwm";
  std::set<char> seen;
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return allowed.find(c) != std::string_view::npos && seen.insert(c).second;
  });
}

bool is_cdi_word(std::string_view text, std::string_view extra) {
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || !alnum(text.front()) || !alnum(text.back())) return false;
  return std::ranges::all_of(text,
                             [&](char c) { return alnum(c) || extra.find(c) != std::string_view::npos; });
}

/// "/dev/sda:<rest>".
Result<std::pair<std::string, std::string_view>> device_and_value(std::string_view text) {
  const auto pair = base::cut(text, ":");
  if (!pair || pair->first.empty()) return base::invalid(fmt::format("bad format: {}", text));
  if (!pair->first.starts_with("/dev/")) {
    return base::invalid(fmt::format("bad format for device path: {}", text));
  }
  return std::pair{std::string{pair->first}, pair->second};
}

/// Go's strconv.ParseInt of a decimal number.
Result<std::int64_t> parse_limit(std::string_view text) {
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  if (const auto number = base::parse_int(digits)) return *number;
  const bool number_like =
      !digits.empty() &&
      digits.find_first_not_of("0123456789", digits[0] == '-' ? 1 : 0) == std::string_view::npos;
  return base::invalid(fmt::format("strconv.ParseInt: parsing {}: {}", base::quoted(text),
                                   number_like && digits != "-" ? "value out of range" : "invalid syntax"));
}

}  // namespace

bool is_cdi_device(std::string_view text) {
  const auto name = base::cut(text, "=");
  if (!name) return false;
  const auto kind = base::cut(name->first, "/");
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return kind && is_cdi_word(kind->first, "_-.") && letter(kind->first.front()) &&
         is_cdi_word(kind->second, "_-") && letter(kind->second.front()) && is_cdi_word(name->second, "_-.:");
}

Result<spec::api::DeviceMapping> parse_device(std::string_view text) {
  const Parts parts = base::split(text, ':');
  if (parts.size() > 3 || parts[0].empty())
    return base::invalid(fmt::format("bad format for path: {}", text));
  spec::api::DeviceMapping out{std::string{parts[0]}, std::string{parts[0]}, "rwm"};
  if (parts.size() == 3) {
    out.path_in_container = parts[1];
    if (!is_device_mode(parts[2])) return base::invalid(fmt::format("bad mode specified: {}", parts[2]));
    out.cgroup_permissions = parts[2];
  } else if (parts.size() == 2) {
    (is_device_mode(parts[1]) ? out.cgroup_permissions : out.path_in_container) = parts[1];
  }
  if (!out.path_in_container.starts_with('/')) {
    return base::invalid(fmt::format("{} is not an absolute path", out.path_in_container));
  }
  return out;
}

Result<> add_device_cgroup_rule(std::vector<std::string>& rules, std::string_view text) {
  const auto bad = [&] { return base::invalid(fmt::format("invalid device cgroup format '{}'", text)); };
  const Parts words = base::split(text, ' ');
  if (words.size() != 3 || (words[0] != "a" && words[0] != "b" && words[0] != "c")) return bad();
  const auto numbers = base::cut(words[1], ":");
  const auto number = [](std::string_view word) { return word == "*" || base::parse_uint(word).has_value(); };
  if (!numbers || !number(numbers->first) || !number(numbers->second)) return bad();
  if (words[2].empty() || words[2].size() > 3 ||
      words[2].find_first_not_of("rwm") != std::string_view::npos) {
    return bad();
  }
  rules.emplace_back(text);
  return {};
}

Result<> add_throttle_bps(std::vector<spec::api::ThrottleDevice>& devices, std::string_view text) {
  const auto pair = TRY(device_and_value(text));
  const auto rate = flags::parse_ram_bytes(pair.second);
  if (!rate || *rate < 0) {
    return base::invalid(
        fmt::format("invalid rate for device: {}. The correct format is <device-path>:<number>[<unit>]. "
                    "Number must be a positive integer. Unit is optional and can be kb, mb, or gb",
                    text));
  }
  devices.push_back({pair.first, static_cast<std::uint64_t>(*rate)});
  return {};
}

Result<> add_throttle_iops(std::vector<spec::api::ThrottleDevice>& devices, std::string_view text) {
  const auto pair = TRY(device_and_value(text));
  const auto rate = base::parse_uint(pair.second);
  if (!rate) {
    return base::invalid(
        fmt::format("invalid rate for device: {}. The correct format is <device-path>:<number>. "
                    "Number must be a positive integer",
                    text));
  }
  devices.push_back({pair.first, *rate});
  return {};
}

Result<> add_weight(std::vector<spec::api::WeightDevice>& devices, std::string_view text) {
  const auto pair = TRY(device_and_value(text));
  const auto weight = base::parse_uint(pair.second);
  if (!weight || *weight > 1000 || (*weight > 0 && *weight < 10)) {
    return base::invalid(fmt::format("invalid weight for device: {}", text));
  }
  devices.push_back({pair.first, static_cast<std::uint16_t>(*weight)});
  return {};
}

Result<> add_ulimit(std::vector<spec::api::Ulimit>& ulimits, std::string_view text) {
  static constexpr std::array<std::string_view, 16> kNames{
      "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
      "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
  const auto pair = base::cut(text, "=");
  if (!pair) return base::invalid(fmt::format("invalid ulimit argument: {}", text));
  if (pair->first.empty() || std::ranges::find(kNames, pair->first) == kNames.end()) {
    return base::invalid(fmt::format("invalid ulimit type: {}", pair->first));
  }
  const Parts limits = base::split(pair->second, ':');
  if (limits.size() > 2) {
    return base::invalid(fmt::format(
        "too many limit value arguments - {}, can only have up to two, `soft[:hard]`", pair->second));
  }
  spec::api::Ulimit ulimit{.name = std::string{pair->first}};
  ulimit.soft = TRY(parse_limit(limits[0]));
  ulimit.hard = limits.size() == 2 ? TRY(parse_limit(limits[1])) : ulimit.soft;
  if (ulimit.hard != -1 && ulimit.soft == -1) {
    return base::invalid(fmt::format(
        "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {}",
        ulimit.hard));
  }
  if (ulimit.hard != -1 && ulimit.soft > ulimit.hard) {
    return base::invalid(fmt::format("ulimit soft limit must be less than or equal to hard limit: {} > {}",
                                     ulimit.soft, ulimit.hard));
  }
  const auto at = std::ranges::lower_bound(ulimits, ulimit.name, {}, &spec::api::Ulimit::name);
  if (at != ulimits.end() && at->name == ulimit.name) {
    *at = std::move(ulimit);
  } else {
    ulimits.insert(at, std::move(ulimit));
  }
  return {};
}

namespace {

Result<std::int64_t> gpu_count(std::string_view text) {
  if (text == "all") return -1;
  if (const auto count = base::parse_int(text)) return *count;
  return base::invalid(
      fmt::format("invalid count ({}): value must be either \"all\" or an integer: invalid syntax", text));
}

std::vector<std::string> comma_parts(std::string_view text) {
  const Parts parts = base::split(text, ',');
  return {parts.begin(), parts.end()};
}

}  // namespace

Result<> add_gpus(std::vector<spec::api::DeviceRequest>& requests, std::string_view text) {
  spec::api::DeviceRequest request;
  std::set<std::string, std::less<>> seen;
  for (const auto& field : TRY(parse_csv(text))) {
    const auto pair = base::cut(field, "=");
    const std::string key{pair ? pair->first : field};
    if (!seen.insert(key).second) {
      return base::invalid(fmt::format("gpu request key '{}' can be specified only once", key));
    }
    if (!pair) {
      seen.insert("count");
      request.count = TRY(gpu_count(key));
    } else if (key == "driver") {
      request.driver = pair->second;
    } else if (key == "count") {
      request.count = TRY(gpu_count(pair->second));
    } else if (key == "device") {
      request.device_ids = comma_parts(pair->second);
    } else if (key == "capabilities") {
      auto capabilities = comma_parts(pair->second);
      capabilities.emplace_back("gpu");
      request.capabilities = {capabilities};
    } else if (key == "options") {
      request.options = to_map(TRY(parse_csv(pair->second).context("failed to read gpu options")));
    } else {
      return base::invalid(fmt::format("unexpected key '{}' in '{}'", key, field));
    }
  }
  if (!seen.contains("count") && !request.device_ids) request.count = 1;
  if (!request.options) request.options.emplace();
  if (!request.capabilities) request.capabilities = {{"gpu"}};
  requests.push_back(std::move(request));
  return {};
}

Capabilities normalised_capabilities(const std::vector<std::string>& add,
                                     const std::vector<std::string>& drop) {
  const auto normal = [](const std::vector<std::string>& names) {
    std::set<std::string> out;
    for (const auto& name : names) {
      std::string upper{base::trim(name)};
      for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      }
      if (upper == "ALL") return std::set<std::string>{upper};
      if (upper != "RESET" && !upper.starts_with("CAP_")) upper.insert(0, "CAP_");
      out.insert(std::move(upper));
    }
    return out;
  };
  const auto added = normal(add);
  Capabilities out;
  out.add.assign(added.begin(), added.end());
  for (const auto& name : normal(drop)) {
    if (!added.contains(name)) out.drop.push_back(name);
  }
  return out;
}

}  // namespace cli
