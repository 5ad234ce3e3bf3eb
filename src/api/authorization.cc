#include "api/authorization.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/errors.h"
#include "base/log.h"
#include "base/strings.h"
#include "codec/json.h"
#include "sys/file.h"

namespace api {

using base::Result;
using codec::Json;

namespace {

constexpr std::string_view kMediaType = "application/vnd.docker.plugins.v1.2+json";
constexpr std::string_view kSocketDir = "/run/docker/plugins";
constexpr std::array<std::string_view, 2> kSpecDirs{"/etc/docker/plugins", "/usr/lib/docker/plugins"};
/// A body larger than that is not shown; docker lets it pass unseen then, which is a way around every plugin.
constexpr std::size_t kMaxShown = std::size_t{1} << 20U;
constexpr std::size_t kMaxReply = std::size_t{1} << 20U;
constexpr std::size_t kMaxSpec = std::size_t{64} << 10U;

/// "unix:///path", "tcp://host:port", "http://host:port".
Result<http::Endpoint> endpoint_of(std::string_view address) {
  const auto parts = base::cut(address, "://");
  if (!parts) return base::invalid("invalid plugin address " + base::quoted(address));
  http::Endpoint endpoint;
  if (parts->first == "unix") {
    endpoint.unix_path = parts->second;
    return endpoint;
  }
  const std::string_view place = parts->second.substr(0, parts->second.find('/'));
  const auto colon = std::min(place.rfind(':'), place.size());
  const std::uint64_t port = base::parse_uint(place.substr(std::min(colon + 1, place.size()))).value_or(0);
  if ((parts->first != "tcp" && parts->first != "http") || port == 0 || port > UINT16_MAX) {
    return base::invalid("invalid plugin address " + base::quoted(address) + ": want unix:// or tcp://host:port");
  }
  endpoint.host = place.substr(0, colon);
  endpoint.port = static_cast<std::uint16_t>(port);
  return endpoint;
}

Result<http::Endpoint> find_plugin(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) return base::invalid("invalid plugin name " + base::quoted(name));
  for (const std::string& path : {fmt::format("{}/{}.sock", kSocketDir, name), fmt::format("{}/{}/{}.sock", kSocketDir, name, name)}) {
    if (TRY(sys::exists(sys::kCwd, path))) return http::Endpoint{.unix_path = path, .host = {}, .port = 0, .tls = nullptr};
  }
  for (const std::string_view dir : kSpecDirs) {
    if (const auto text = sys::read_file(sys::kCwd, fmt::format("{}/{}.spec", dir, name), kMaxSpec)) {
      return endpoint_of(base::trim(*text));
    }
    const std::string path = fmt::format("{}/{}.json", dir, name);
    if (const auto text = sys::read_file(sys::kCwd, path, kMaxSpec)) {
      const Json json = TRY(Json::parse(*text).context(path));
      return endpoint_of(json["Addr"].as_string());
    }
  }
  return base::not_found(fmt::format("plugin {} not found", base::quoted(name)));
}

bool is_json(const http::Headers& headers) {
  const auto type = headers.get("Content-Type");
  return base::equal_ignoring_case(base::trim(type.substr(0, type.find(';'))), "application/json");
}

/// As docker: credentials are nobody's business.
Json headers_json(const http::Headers& headers) {
  Json json{Json::Object{}};
  for (const auto& [name, value] : headers) {
    if (base::equal_ignoring_case(name, "X-Registry-Auth") || base::equal_ignoring_case(name, "X-Registry-Config")) continue;
    if (json.find(name) == nullptr) json.set(name, value);
  }
  return json;
}

/// A body that was read, and what follows it.
class Reread final : public base::ByteSource {
 public:
  explicit Reread(std::string text) : text_{std::move(text)} {}
  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = std::min(buffer.size(), text_.size() - at_);
    text_.copy(buffer.data(), count, at_);
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace

AuthorizationPlugin::AuthorizationPlugin(std::string name, http::Endpoint endpoint)
    : name_{std::move(name)},
      client_{std::move(endpoint), {.connect_timeout = std::chrono::seconds{5}, .response_timeout = std::chrono::seconds{30},
                                    .headers = {{"Accept", std::string{kMediaType}}}}} {}

Result<Json> AuthorizationPlugin::call(std::string_view method, const Json& body) {
  http::Call call;
  call.method = "POST";
  call.target = fmt::format("/{}", method);
  call.headers = {{"Content-Type", std::string{kMediaType}}};
  call.body = body.is_null() ? std::string{} : body.dump();
  const auto reply = TRY(client_.send(call));
  const std::string text = TRY(base::read_all(*reply, kMaxReply));
  if (!reply->ok()) return base::internal(fmt::format("{}: status {}: {}", method, reply->status(), base::trim(text)));
  return Json::parse(text).context(std::string{method});
}

Result<std::shared_ptr<AuthorizationPlugin>> AuthorizationPlugin::activate(const std::string& name) {
  auto plugin = std::make_shared<AuthorizationPlugin>(name, TRY(find_plugin(name)));
  const Json hello = TRY(plugin->call("Plugin.Activate", {}).context("error activating plugin " + base::quoted(name)));
  for (const auto& kind : hello["Implements"].as_array()) {
    if (kind.as_string() == "authz") return plugin;
  }
  return base::invalid(fmt::format("plugin {} does not implement \"authz\"", base::quoted(name)));
}

Result<> AuthorizationPlugin::ask(std::string_view method, const Json& question) {
  const auto answer = call(method, question);
  if (!answer) return base::internal(fmt::format("plugin {} failed with error: {}", name_, answer.error().message()));
  if (const auto* error = answer->find("Err"); error != nullptr && !error->as_string().empty()) {
    return base::internal(fmt::format("plugin {} failed with error: {}", name_, error->as_string()));
  }
  const auto* allowed = answer->find("Allow");
  if (allowed != nullptr && allowed->as_bool()) return {};
  const auto* why = answer->find("Msg");
  return base::Error{base::ErrorKind::PermissionDenied,
                     fmt::format("authorization denied by plugin {}: {}", name_, why == nullptr ? "" : why->as_string())};
}

Result<std::shared_ptr<const Authorization::Plugins>> Authorization::prepare(const std::vector<std::string>& names) {
  auto plugins = std::make_shared<Plugins>();
  for (const std::string& name : names) {
    plugins->push_back(TRY(AuthorizationPlugin::activate(name).context("error validating authorization plugin")));
  }
  return std::shared_ptr<const Plugins>{std::move(plugins)};
}

void Authorization::use(std::shared_ptr<const Plugins> plugins) {
  const std::lock_guard lock{mutex_};
  plugins_ = std::move(plugins);
}

std::shared_ptr<const Authorization::Plugins> Authorization::plugins() const {
  const std::lock_guard lock{mutex_};
  return plugins_;
}

Result<> AuthorizedExchange::admit() {
  const http::Request& request = inner_.request();
  question_ = Json::object({{"User", request.tls_subject},
                            {"UserAuthNMethod", request.tls_subject.empty() ? "" : "TLS"},
                            {"RequestMethod", request.method},
                            {"RequestUri", request.target},
                            {"RequestHeaders", headers_json(request.headers)}});
  // The password of /auth is not shown, as docker has it.
  if (is_json(request.headers) && !request.path.ends_with("/auth")) {
    auto body = base::read_all(inner_.body(), kMaxShown);
    if (!body) {
      return std::move(body).error().context(fmt::format("authorization plugins are shown {} bytes of a request at most", kMaxShown));
    }
    if (!body->empty()) question_.set("RequestBody", base::base64(*body));
    shown_body_ = std::make_unique<Reread>(*std::move(body));
  }
  for (const auto& plugin : *plugins_) TRY(plugin->ask("AuthZPlugin.AuthZReq", question_));
  return {};
}

base::ByteSource& AuthorizedExchange::body() { return shown_body_ ? *shown_body_ : inner_.body(); }

Result<> AuthorizedExchange::show_answer(int status, const http::Headers& headers, std::string_view body) {
  Json question = question_;
  question.set("ResponseStatusCode", status);
  question.set("ResponseHeaders", headers_json(headers));
  if (!body.empty() && is_json(headers) && body.size() <= kMaxShown) question.set("ResponseBody", base::base64(body));
  for (const auto& plugin : *plugins_) TRY(plugin->ask("AuthZPlugin.AuthZRes", question));
  return {};
}

Result<> AuthorizedExchange::respond(int status, const http::Headers& headers, std::string_view body) {
  if (const auto shown = show_answer(status, headers, body); !shown) {
    base::log::error("AuthZResponse for {} {} returned error: {}", request().method, request().path, shown.error().message());
    return reply_error(inner_, shown.error());
  }
  return inner_.respond(status, headers, body);
}

Result<> AuthorizedExchange::begin(int status, const http::Headers& headers) {
  TRY(show_answer(status, headers, {}));
  return inner_.begin(status, headers);
}

Result<http::Upgraded> AuthorizedExchange::hijack(int status, std::string_view reason, const http::Headers& headers) {
  TRY(show_answer(status, headers, {}));
  return inner_.hijack(status, reason, headers);
}

}  // namespace api
