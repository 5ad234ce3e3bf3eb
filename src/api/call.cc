#include "api/call.h"

#include <fmt/format.h>

#include "base/byte_stream.h"
#include "base/strings.h"

namespace api {

using base::Result;
using codec::Json;

namespace {
/// docker's own bound for a request body that is not a tar.
constexpr std::size_t kMaxBody = std::size_t{16} << 20U;
}  // namespace

std::string Call::text(std::string_view name) const {
  return std::string{exchange_.request().query.get(name)};
}

bool Call::flag(std::string_view name, bool otherwise) const {
  const std::string* value = exchange_.request().query.find(name);
  if (value == nullptr) return otherwise;
  const std::string lower = base::to_lower(base::trim(*value));
  return !(lower.empty() || lower == "0" || lower == "no" || lower == "false" || lower == "none");
}

Result<std::optional<std::int64_t>> Call::integer(std::string_view name) const {
  const std::string value = text(name);
  if (value.empty()) return std::optional<std::int64_t>{};
  const auto number = base::parse_int(value);
  if (!number) {
    return base::invalid(fmt::format("strconv.Atoi: parsing {}: invalid syntax", base::quoted(value)));
  }
  return number;
}

Result<engine::Filters> Call::filters() const {
  engine::Filters filters;
  const std::string value = text("filters");
  if (value.empty()) return filters;
  const auto parsed = Json::parse(value);
  if (!parsed || !parsed->is_object()) return base::invalid("invalid filter");
  for (const auto& [name, values] : parsed->as_object()) {
    auto& list = filters[name];
    if (values.is_array()) {
      for (const auto& item : values.as_array()) list.push_back(item.as_string());
    } else if (values.is_object()) {
      for (const auto& [item, on] : values.as_object()) {
        if (on.as_bool()) list.push_back(item);
      }
    } else {
      return base::invalid("invalid filter");
    }
  }
  return filters;
}

Result<std::optional<base::Time>> Call::time(std::string_view name) const {
  const std::string value = text(name);
  if (value.empty() || value == "0") return std::optional<base::Time>{};
  return std::optional{TRY(base::parse_timestamp(value, base::now()))};
}

Result<Call::TerminalSize> Call::terminal_size() const {
  const auto rows = TRY(integer("h"));
  const auto columns = TRY(integer("w"));
  const auto fits = [](const std::optional<std::int64_t>& value) { return value && *value >= 0 && *value <= 65535; };
  if (!fits(rows) || !fits(columns)) return base::invalid("invalid resize height or width");
  return TerminalSize{static_cast<unsigned>(*rows), static_cast<unsigned>(*columns)};
}

Result<engine::RegistryAuth> Call::registry_auth() const {
  engine::RegistryAuth auth;
  const auto header = exchange_.request().headers.get("X-Registry-Auth");
  if (header.empty()) return auth;
  const auto decoded = base::base64_decode(header);
  const auto json = decoded ? Json::parse(*decoded) : Result<Json>{base::invalid("")};
  if (!json || !json->is_object()) return base::invalid("invalid X-Registry-Auth header: invalid JSON");
  const auto field = [&](std::string_view name) {
    const Json* value = json->find(name);
    return value == nullptr ? std::string{} : value->as_string();
  };
  auth.username = field("username");
  auth.password = field("password");
  auth.server_address = field("serveraddress");
  auth.identity_token = field("identitytoken");
  auth.registry_token = field("registrytoken");
  if (auth.username.empty() && auth.password.empty()) {
    // The form of config.json: "auth" is base64 of user:password.
    if (const auto plain = base::base64_decode(field("auth")); plain && !plain->empty()) {
      if (const auto parts = base::cut(*plain, ":")) {
        auth.username = parts->first;
        auth.password = parts->second;
      }
    }
  }
  return auth;
}

Result<Json> Call::json_body() { return parse_body(TRY(base::read_all(exchange_.body(), kMaxBody))); }

Result<Json> Call::optional_json_body() {
  const std::string text = TRY(base::read_all(exchange_.body(), kMaxBody));
  return base::trim(text).empty() ? Json{} : parse_body(text);
}

Result<Json> Call::parse_body(const std::string& text) const {
  const auto type = exchange_.request().headers.get("Content-Type");
  const auto media_type = base::trim(type.substr(0, type.find(';')));
  if (!base::equal_ignoring_case(media_type, "application/json") && !(media_type.empty() && text.empty())) {
    return base::invalid(fmt::format("unsupported Content-Type header ({}): must be 'application/json'", type));
  }
  if (base::trim(text).empty()) return base::invalid("invalid JSON: got EOF while reading request body");
  std::size_t used = 0;
  Json json = TRY(Json::parse_prefix(text, used));
  if (used == 0) return base::invalid("invalid JSON: unexpected end of JSON input");
  if (!base::trim(std::string_view{text}.substr(used)).empty()) {
    return base::invalid("unexpected content after JSON");
  }
  return json;
}

Result<> Call::reply(int status, const Json& json) {
  std::string body;
  json.dump_to(body);
  body += '\n';
  return exchange_.respond(status, {{"Content-Type", "application/json"}}, body);
}

Result<> Call::reply_adapted(int status, Shape shape, Json json) {
  if (json.is_array()) {
    adapt_all(json, shape, version_);
  } else {
    adapt(json, shape, version_);
  }
  return reply(status, json);
}

Result<> Call::reply_empty(int status) { return exchange_.respond(status, {}, ""); }

}  // namespace api
