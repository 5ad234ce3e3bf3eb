#include "cli/config.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/credential_helper.h"
#include "sys/file.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

std::optional<Credentials> decode(const Json& entry) {
  Credentials out{entry["username"].as_string(), entry["password"].as_string(),
                  entry["identitytoken"].as_string()};
  if (const auto& auth = entry["auth"].as_string(); !auth.empty()) {
    const auto text = base::base64_decode(auth);
    const auto pair = text ? base::cut(*text, ":") : std::nullopt;
    if (!pair) return std::nullopt;
    out.username = pair->first;
    out.password = std::string{pair->second.substr(0, pair->second.find('\0'))};
  }
  if (out.username.empty() && out.identity_token.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::string_view host_of_server(std::string_view server) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (server.starts_with(scheme)) server.remove_prefix(scheme.size());
  }
  return server.substr(0, server.find('/'));
}

std::string Config::default_directory() {
  if (const char* directory = std::getenv("DOCKER_CONFIG"); directory != nullptr && *directory != '\0') {
    return directory;
  }
  const char* home = std::getenv("HOME");
  return fmt::format("{}/.docker", home != nullptr ? home : "");
}

Result<Config> Config::load(const std::string& directory) {
  Config out;
  const std::string path = directory + "/config.json";
  const auto text = sys::read_file(sys::kCwd, path);
  if (!text) return out;  // docker, too, goes on without a file that it can't read
  auto json = Json::parse(*text);
  if (!json) return std::move(json).error().context(path);
  out.json_ = std::move(*json);
  return out;
}

std::string Config::text(std::string_view key) const { return json_[key].as_string(); }

std::map<std::string, std::string> Config::http_headers() const {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : json_["HttpHeaders"].as_object()) out[name] = value.as_string();
  return out;
}

std::string Config::credential_helper(const std::string& registry) const {
  for (const auto& [server, helper] : json_["credHelpers"].as_object()) {
    if (host_of_server(server) == host_of_server(registry)) return helper.as_string();
  }
  return text("credsStore");
}

Result<std::optional<Credentials>> Config::credentials(const std::string& registry) const {
  for (const auto& [server, helper] : json_["credHelpers"].as_object()) {
    if (host_of_server(server) == host_of_server(registry)) return ask_credential_helper(helper.as_string(), server);
  }
  if (const auto helper = text("credsStore"); !helper.empty()) return ask_credential_helper(helper, registry);
  for (const auto& [server, entry] : json_["auths"].as_object()) {
    if (server == registry || host_of_server(server) == host_of_server(registry)) return decode(entry);
  }
  return std::optional<Credentials>{};
}

}  // namespace cli
