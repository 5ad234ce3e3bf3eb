#include "engine/health_check.h"

#include "base/strings.h"
#include "net/address.h"

namespace engine {
namespace {

using base::Result;
using shim::HealthCheck;

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t or_default(std::int64_t given, std::int64_t otherwise) { return given != 0 ? given : otherwise; }

/// "127.0.0.1:80", "[::1]:80", "localhost:80". No other names: whose resolver would be asked?
Result<> parse_address(HealthCheck& check, std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return base::invalid("Healthcheck: " + base::quoted(text) + ": " + std::string{why});
  };
  const auto colon = text.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : base::parse_uint(text.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return wrong("no port from 1 to 65535; want ADDRESS:PORT");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos ||
        host.find(':') == std::string_view::npos) {
      return wrong("no IPv6 address");
    }
    check.address = host;
  } else if (host == "localhost") {
    check.address = "127.0.0.1";
  } else {
    const auto address = net::Ipv4::parse(std::string{host});
    if (!address) return wrong("neither an IP address nor localhost");
    check.address = host;
  }
  check.port = static_cast<std::uint16_t>(*port);
  return {};
}

Result<> parse_url(HealthCheck& check, const std::string& url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) {
    return base::invalid("Healthcheck: " + base::quoted(url) + ": only http:// URLs are probed; for others use a command");
  }
  if (url.find_first_of(std::string_view{" \t\r\n\0", 5}) != std::string::npos) {
    return base::invalid("Healthcheck: " + base::quoted(url) + ": white space in a URL");
  }
  const std::string_view rest = std::string_view{url}.substr(scheme.size());
  const auto slash = rest.find_first_of("/?");
  check.authority = rest.substr(0, slash);
  check.target = slash == std::string_view::npos ? "/" : rest.substr(slash);
  if (check.target.front() == '?') check.target.insert(0, "/");
  const bool has_port = check.authority.ends_with(']') ? false : check.authority.find(':') != std::string::npos;
  return parse_address(check, has_port ? check.authority : check.authority + ":80");
}

}  // namespace

Result<std::optional<HealthCheck>> parse_health_check(const spec::api::ContainerConfig& config) {
  using Check = std::optional<HealthCheck>;
  if (!config.healthcheck || config.healthcheck->test.empty()) return Check{};
  const spec::api::HealthConfig& health = *config.healthcheck;
  const std::string& type = health.test.front();
  if (type == "NONE") return Check{};
  HealthCheck check;
  check.interval = or_default(health.interval, 30 * kSecond);
  check.timeout = or_default(health.timeout, 30 * kSecond);
  check.start_period = health.start_period;
  check.start_interval = or_default(health.start_interval, 5 * kSecond);
  check.retries = or_default(health.retries, 3);
  if (type == "CMD" || type == "CMD-SHELL") {
    check.kind = "exec";
    if (health.test.size() < 2) return base::invalid("Healthcheck of type " + type + " has no command");
    return Check{std::move(check)};
  }
  if (type != "HTTP" && type != "TCP") {
    return base::invalid("Unknown healthcheck type " + base::quoted(type) +
                         " (expected CMD, CMD-SHELL, HTTP, TCP or NONE)");
  }
  if (health.test.size() != 2) {
    return base::invalid("Healthcheck of type " + type + " needs one " + (type == "HTTP" ? "URL" : "ADDRESS:PORT"));
  }
  check.kind = base::to_lower(type);
  if (type == "TCP") {
    TRY(parse_address(check, health.test[1]));
  } else {
    TRY(parse_url(check, health.test[1]));
  }
  return Check{std::move(check)};
}

std::vector<std::string> health_command(const spec::api::ContainerConfig& config) {
  if (!config.healthcheck || config.healthcheck->test.size() < 2) return {};
  const auto& test = config.healthcheck->test;
  const std::vector<std::string> arguments(test.begin() + 1, test.end());
  if (test.front() == "CMD") return arguments;
  if (test.front() != "CMD-SHELL") return {};
  std::vector<std::string> command{"/bin/sh", "-c"};
  if (config.shell && !config.shell->empty()) command = *config.shell;
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace engine
