#include "cli/config.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/credential_helper.h"
#include "cli/format/tabbed_json.h"
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
  Config out{directory};
  const std::string path = directory + "/config.json";
  const auto text = sys::read_file(sys::kCwd, path);
  if (!text) {
    if (text.failed_as(base::ErrorKind::NotFound)) return out;
    return base::Error{text.error()}.context("loading config file");
  }
  auto json = Json::parse(*text);
  if (!json) return std::move(json).error().context(fmt::format("parsing config file ({})", path));
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

std::map<std::string, std::string> Config::proxy_environment(const std::string& host) const {
  constexpr std::array<std::pair<const char*, const char*>, 5> kNames{{{"httpProxy", "HTTP_PROXY"},
                                                                       {"httpsProxy", "HTTPS_PROXY"},
                                                                       {"noProxy", "NO_PROXY"},
                                                                       {"ftpProxy", "FTP_PROXY"},
                                                                       {"allProxy", "ALL_PROXY"}}};
  const Json& all = json_["proxies"];
  const Json& proxies = all[host].is_null() ? all["default"] : all[host];
  std::map<std::string, std::string> out;
  for (const auto& [key, name] : kNames) {
    const auto& value = proxies[key].as_string();
    if (value.empty()) continue;
    out[name] = value;
    out[base::to_lower(name)] = value;
  }
  return out;
}

void Config::set(std::string_view key, Json value) {
  if (value.is_null()) {
    if (json_.is_object()) {
      std::erase_if(json_.members(), [&](const Json::Member& member) { return member.first == key; });
    }
  } else {
    if (!json_.is_object()) json_ = Json{Json::Object{}};
    json_.set(key, std::move(value));
  }
}

Result<> Config::save() const {
  const auto intent = [&] { return "write " + directory_ + "/config.json"; };
  TRY(sys::make_dirs(sys::kCwd, directory_, 0700).context(intent()));
  std::string path = directory_ + "/config.json";
  if (const auto target = sys::read_link(sys::kCwd, path)) {
    path = target->starts_with('/') ? *target : directory_ + "/" + *target;
  }
  mode_t mode = 0600;
  if (const auto old = sys::stat_at(sys::kCwd, path)) mode = old->st_mode & 07777U;
  const std::string text = tabbed_json(json_.is_object() ? json_ : Json{Json::Object{}});
  return sys::write_file_atomic(sys::kCwd, path, text, mode).context(intent());
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
