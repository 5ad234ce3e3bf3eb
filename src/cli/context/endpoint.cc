#include "cli/context/endpoint.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/container/environment.h"
#include "client/client.h"
#include "flags/value.h"
#include "sys/file.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

constexpr std::array<std::string_view, 6> kKeys{"ca", "cert", "from", "host", "key", "skip-tls-verify"};

std::string setting(const std::map<std::string, std::string>& settings, const std::string& name) {
  const auto at = settings.find(name);
  return at == settings.end() ? std::string{} : at->second;
}

Result<EndpointSettings> parsed(const std::map<std::string, std::string>& settings) {
  EndpointSettings out;
  for (const auto& [key, value] : settings) {
    if (std::ranges::find(kKeys, key) == kKeys.end()) {
      return base::invalid("unrecognized config key: " + key);
    }
  }
  const std::string host = setting(settings, "host");
  bool skip = false;
  if (const std::string text = setting(settings, "skip-tls-verify"); !text.empty()) {
    const auto value = flags::parse_bool(text);
    if (!value) return base::invalid(fmt::format("skip-tls-verify: parsing {}: invalid syntax", base::quoted(text)));
    skip = *value;
  }
  constexpr std::array<std::pair<const char*, const char*>, 3> kFiles{
      {{"ca", "ca.pem"}, {"cert", "cert.pem"}, {"key", "key.pem"}}};
  for (const auto& [key, name] : kFiles) {
    if (const std::string path = setting(settings, key); !path.empty()) out.tls[name] = TRY(read_user_file(path));
  }
  const auto begins_pem = [&](const char* name) {
    const auto at = out.tls.find(name);
    return at == out.tls.end() || at->second.find("-----BEGIN ") != std::string::npos;
  };
  for (const auto& [key, name] : kFiles) {
    if (!begins_pem(name)) {
      return base::invalid(fmt::format(
          "invalid docker endpoint options: failed to retrieve context tls info: {} seems invalid", name));
    }
  }
  client::Target target{.host = host, .api_version = {}};
  if (const auto endpoint = client::endpoint_of(target); !endpoint) {
    return base::Error{endpoint.error()}.context("unable to apply docker endpoint options");
  }
  if (!host.empty()) out.endpoint.set("Host", host);
  out.endpoint.set("SkipTLSVerify", skip);
  return out;
}

}  // namespace

Result<client::Target> target_of_context(const ContextStore& store, const std::string& name) {
  const Json meta = TRY(store.find(name));
  const Json& endpoint = meta["Endpoints"][kDockerEndpoint];
  if (!endpoint.is_object()) {
    return base::not_found("cannot find docker endpoint in context " + name);
  }
  const std::string folder = store.tls_path(name) + "/" + kDockerEndpoint;
  const auto file = [&](const char* file_name) -> Result<std::string> {
    std::string path = fmt::format("{}/{}", folder, file_name);
    return TRY(sys::exists(sys::kCwd, path)) ? path : std::string{};
  };
  client::Target out;
  out.host = endpoint["Host"].as_string();
  out.ca = TRY(file("ca.pem"));
  out.certificate = TRY(file("cert.pem"));
  out.key = TRY(file("key.pem"));
  const bool skip = endpoint["SkipTLSVerify"].as_bool();
  out.tls = skip || !out.ca.empty() || !out.certificate.empty();
  out.tls_verify = out.tls && !skip;
  return out;
}

Result<EndpointSettings> parse_endpoint(const std::map<std::string, std::string>& settings) {
  return parsed(settings).context("unable to create docker endpoint config");
}

}  // namespace cli
