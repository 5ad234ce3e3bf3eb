#include "cli/container/ports.h"

#include <map>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/container/network.h"

namespace cli {

using base::Result;

namespace {

struct Range {
  unsigned first, last;
};

Result<unsigned> parse_port(std::string_view text) {
  const auto port = base::parse_uint(text);
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (port && *port <= 65535) return static_cast<unsigned>(*port);
  return base::invalid(fmt::format("strconv.ParseUint: parsing {}: {}", base::quoted(text),
                                   digits ? "value out of range" : "invalid syntax"));
}

Result<Range> parse_range(std::string_view text) {
  if (text.empty()) return base::invalid("empty string specified for ports");
  const auto ends = base::cut(text, "-");
  Range range{};
  range.first = TRY(parse_port(ends ? ends->first : text));
  range.last = ends ? TRY(parse_port(ends->second)) : range.first;
  if (range.last < range.first) {
    return base::invalid(fmt::format("invalid range specified for port: {}", text));
  }
  return range;
}

struct PortAndProtocol {
  std::string_view port, protocol;
};
PortAndProtocol split_protocol(std::string_view text) {
  const auto pair = base::cut(text, "/");
  if (text.empty() || (pair && pair->first.empty())) return {};
  if (!pair || pair->second.empty()) return {pair ? pair->first : text, "tcp"};
  return {pair->first, pair->second.substr(0, pair->second.find('/'))};
}

/// "target=80,published=8080,protocol=tcp" in the short form.
Result<std::string> to_short_form(const std::string& spec) {
  if (spec.find('=') == std::string::npos) return spec;
  std::map<std::string, std::string, std::less<>> values{{"protocol", "tcp"}};
  for (const auto part : base::split(spec, ',')) {
    const auto pair = base::cut(part, "=");
    if (!pair || pair->first.empty()) {
      return base::invalid(
          fmt::format("invalid publish opts format (should be name=value but got '{}')", part));
    }
    values[std::string{pair->first}] = pair->second;
  }
  return fmt::format("{}:{}/{}", values["published"], values["target"], values["protocol"]);
}

Result<> add_published(PublishedPorts& out, const std::string& spec) {
  const auto container_colon = spec.rfind(':');
  const auto [container_port, protocol] = split_protocol(
      container_colon == std::string::npos ? std::string_view{spec}
                                           : std::string_view{spec}.substr(container_colon + 1));
  std::string_view before =
      std::string_view{spec}.substr(0, container_colon == std::string::npos ? 0 : container_colon);
  const auto host_colon = before.rfind(':');
  const std::string_view host_port =
      host_colon == std::string_view::npos ? before : before.substr(host_colon + 1);
  std::string_view address = host_colon == std::string_view::npos ? "" : before.substr(0, host_colon);
  if (address.starts_with('[')) {
    if (!address.ends_with(']')) {
      return base::invalid(
          fmt::format("invalid IP address {}: address {}:: missing ']' in address", address, address));
    }
    address = address.substr(1, address.size() - 2);
  }
  if (!address.empty() && !is_ip_address(address)) {
    return base::invalid(fmt::format("invalid IP address: {}", address));
  }
  if (container_port.empty()) return base::invalid(fmt::format("no port specified: {}<empty>", spec));
  const auto range = parse_range(container_port);
  if (!range) return base::invalid(fmt::format("invalid containerPort: {}", container_port));
  Range host{};
  if (!host_port.empty()) {
    const auto parsed = parse_range(host_port);
    if (!parsed) return base::invalid(fmt::format("invalid hostPort: {}", host_port));
    host = *parsed;
    // A range of host ports for one container port means any of them.
    if (range->last - range->first != host.last - host.first && range->first != range->last) {
      return base::invalid(fmt::format("invalid ranges specified for container and host Ports: {} and {}",
                                       container_port, host_port));
    }
  }
  const std::string lower = base::to_lower(protocol);
  if (lower != "tcp" && lower != "udp" && lower != "sctp") {
    return base::invalid(fmt::format("invalid proto: {}", protocol));
  }
  for (unsigned port = range->first; port <= range->last; ++port) {
    const std::string key = fmt::format("{}/{}", port, lower);
    spec::api::PortBinding binding{.host_ip = std::string{address}};
    if (!host_port.empty()) {
      binding.host_port = fmt::to_string(host.first + (port - range->first));
      if (range->first == range->last && host.first != host.last) {
        binding.host_port += fmt::format("-{}", host.last);
      }
    }
    out.exposed[key];
    auto& bindings = out.bindings[key];
    if (!bindings) bindings.emplace();
    bindings->push_back(std::move(binding));
  }
  return {};
}

}  // namespace

Result<PublishedPorts> parse_published_ports(const std::vector<std::string>& specs) {
  PublishedPorts out;
  for (const auto& spec : specs) {
    const std::string short_form = TRY(to_short_form(spec));
    TRY(add_published(out, short_form));
  }
  return out;
}

Result<> add_exposed_ports(spec::api::NameSet& exposed, const std::vector<std::string>& specs) {
  for (const auto& spec : specs) {
    if (spec.find(':') != std::string::npos) {
      return base::invalid(fmt::format("invalid port format for --expose: {}", spec));
    }
    const auto [port, protocol] = split_protocol(spec);
    const auto range = parse_range(port);
    if (!range) {
      return base::invalid(
          fmt::format("invalid range format for --expose: {}, error: {}", spec, range.error().message()));
    }
    for (unsigned number = range->first; number <= range->last; ++number) {
      exposed[fmt::format("{}/{}", number, protocol)];
    }
  }
  return {};
}

}  // namespace cli
