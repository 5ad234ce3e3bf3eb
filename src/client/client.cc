#include "client/client.h"

#include <cerrno>

#include <fmt/format.h>

#include "base/strings.h"

namespace client {

using base::Error;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::size_t kMaxAnswer = std::size_t{256} << 20U;
constexpr std::size_t kMaxErrorAnswer = 1 << 20;
constexpr std::string_view kNoDaemon = "Cannot connect to the Docker daemon at ";

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 400: return ErrorKind::InvalidArgument;
    case 401: return ErrorKind::Unauthorized;
    case 403: return ErrorKind::PermissionDenied;
    case 404: return ErrorKind::NotFound;
    case 409: return ErrorKind::Conflict;
    case 501: return ErrorKind::NotImplemented;
    case 503: return ErrorKind::Unavailable;
    default: return status < 500 ? ErrorKind::InvalidArgument : ErrorKind::Internal;
  }
}

/// Go writes an errno's text in lower case.
std::string lower_first(std::string text, int errno_value) {
  const std::string reason = base::errno_text(errno_value);
  if (errno_value != 0 && text.ends_with(reason)) {
    const std::size_t at = text.size() - reason.size();
    text[at] = base::to_lower(text.substr(at, 1))[0];
  }
  return text;
}

/// docker's words for a call that got no answer.
Error no_answer(const Error& error, const http::Endpoint& endpoint, const std::string& host,
                const http::Call& call) {
  const int code = error.errno_value();
  const bool is_unix = !endpoint.unix_path.empty();
  if (code == EACCES || code == EPERM) {
    return {ErrorKind::PermissionDenied, code,
            fmt::format("permission denied while trying to connect to the Docker daemon socket at {}: {} "
                        "\"http://{}{}\": {}",
                        host, base::equal_ignoring_case(call.method, "GET") ? "Get" : call.method,
                        is_unix ? http::encode_segment(endpoint.unix_path) : endpoint.host, call.target,
                        lower_first(error.message(), code))};
  }
  if (code == ECONNREFUSED || code == ETIMEDOUT || (is_unix && error.message().starts_with("dial unix"))) {
    return {ErrorKind::Unavailable, code,
            fmt::format("{}{}. Is the docker daemon running?", kNoDaemon, host)};
  }
  return {error.kind(), code, "error during connect: " + lower_first(error.message(), code)};
}

Error answered_error(http::Reply& reply, const std::string& target) {
  const int status = reply.status();
  std::string message;
  if (auto body = base::read_all(reply, kMaxErrorAnswer)) {
    const auto json = codec::Json::parse(*body);
    message = json && (*json)["message"].is_string() ? (*json)["message"].as_string() : *body;
    message = base::trim(message);
  }
  if (message.empty()) {
    return {kind_of_status(status),
            fmt::format("request returned {} for API route and version {}, check if the server supports the "
                        "requested API version",
                        http::reason_of(status), target)};
  }
  return {kind_of_status(status), "Error response from daemon: " + message};
}

/// "1.44" → {1, 44}; nullopt if malformed.
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_version(std::string_view text) {
  const auto parts = base::cut(text, ".");
  if (!parts) return std::nullopt;
  const auto major = base::parse_uint(parts->first);
  const auto minor = base::parse_uint(parts->second);
  if (!major || !minor) return std::nullopt;
  return std::pair{*major, *minor};
}

std::string lower_of(std::string_view ours, std::string_view theirs) {
  // A daemon that does not say is older than negotiation.
  if (theirs.empty()) return "1.24";
  const auto their_version = parse_version(theirs);
  return std::string{their_version && *their_version < *parse_version(ours) ? theirs : ours};
}

}  // namespace

std::string encode_filters(const Filters& filters) {
  if (filters.empty()) return {};
  codec::Json out{codec::Json::Object{}};
  for (const auto& [name, values] : filters) {
    codec::Json set{codec::Json::Object{}};
    for (const auto& value : values) set.set(value, true);
    out.set(name, std::move(set));
  }
  return out.dump();
}

bool is_connection_failure(const Error& error) {
  return error.is(ErrorKind::Unavailable) && error.message().starts_with(kNoDaemon);
}

std::optional<bool> multiplexed_by(const http::Headers& headers) {
  const std::string_view type = headers.get("Content-Type");
  if (type.starts_with("application/vnd.docker.multiplexed-stream")) return true;
  // Before API 1.42 "raw" was the type of both.
  return std::nullopt;
}

Client::Client(http::Endpoint endpoint, std::string host, std::string pinned, http::Headers headers)
    : host_{std::move(host)},
      http_{std::move(endpoint), http::ClientOptions{.headers = std::move(headers)}},
      version_{std::move(pinned)} {}

Result<std::unique_ptr<Client>> Client::open(const Target& target, std::string user_agent, http::Headers headers) {
  if (headers.find("User-Agent") == nullptr) headers.add("User-Agent", std::move(user_agent));
  auto endpoint = TRY(endpoint_of(target));
  std::string host = target.host.empty() ? std::string{kDefaultHost} : target.host;
  return std::unique_ptr<Client>{
      new Client{std::move(endpoint), std::move(host), target.api_version, std::move(headers)}};
}

Result<std::unique_ptr<http::Reply>> Client::send(const http::Call& call) {
  auto reply = http_.send(call);
  if (!reply) return no_answer(reply.error(), http_.endpoint(), host_, call);
  return reply;
}

Result<Ping> Client::ping() {
  const auto reply = TRY(send({.method = "HEAD", .target = "/_ping"}));
  const http::Headers& headers = reply->headers();
  if (reply->status() >= 400) return answered_error(*reply, "/_ping");
  return Ping{.api_version = std::string{headers.get("API-Version")},
              .os_type = std::string{headers.get("OSType")},
              .builder_version = std::string{headers.get("Builder-Version")},
              .server = std::string{headers.get("Server")},
              .experimental = headers.get("Docker-Experimental") == "true"};
}

Result<std::string> Client::api_version() {
  {
    const std::lock_guard lock{mutex_};
    if (!version_.empty()) return version_;
  }
  const Ping answer = TRY(ping());
  const std::lock_guard lock{mutex_};
  if (version_.empty()) version_ = lower_of(kApiVersion, answer.api_version);
  return version_;
}

Result<std::unique_ptr<http::Reply>> Client::call(const ApiCall& call) {
  http::Call raw;
  raw.method = call.method;
  raw.target = "/v" + TRY(api_version()) + call.path;
  const std::string route = raw.target;
  if (!call.query.empty()) raw.target += "?" + call.query.encode();
  raw.headers = call.headers;
  raw.upgrade = call.upgrade;
  if (call.stream != nullptr) {
    raw.stream = call.stream;
    raw.headers.add("Content-Type", "application/x-tar");
  } else if (call.body) {
    raw.body = call.body->dump();
    raw.headers.add("Content-Type", "application/json");
  } else if (call.upgrade) {
    raw.headers.add("Content-Type", "text/plain");
  }
  auto reply = TRY(send(raw));
  if (reply->status() >= 400) return answered_error(*reply, route);
  return reply;
}

Result<std::string> Client::text(const ApiCall& request) {
  const auto reply = TRY(call(request));
  return base::read_all(*reply, kMaxAnswer).context("read the daemon's answer");
}

Result<codec::Json> Client::json(const ApiCall& request) {
  const std::string body = TRY(text(request));
  return codec::Json::parse(body).context("read the daemon's answer");
}

Result<codec::Json> Client::prune(const std::string& path, const Filters& filters, bool dry_run) {
  ApiCall request{.method = "POST", .path = path};
  if (const auto text = encode_filters(filters); !text.empty()) request.query.add("filters", text);
  if (dry_run) request.query.add("dry-run", "1");
  return json(request);
}

Result<> Client::done(const ApiCall& request) {
  const auto reply = TRY(call(request));
  // To its end, so that the connection serves the next call.
  TRY(base::read_all(*reply, kMaxAnswer).context("read the daemon's answer"));
  return {};
}

Result<RawStream> Client::raw_stream(ApiCall request) {
  request.upgrade = true;
  const auto reply = TRY(call(request));
  const auto multiplexed = multiplexed_by(reply->headers());
  auto upgraded = TRY(reply->hijack());
  return RawStream{std::move(upgraded.socket), std::move(upgraded.prefix), multiplexed};
}

Result<spec::api::SystemVersion> Client::version() {
  return get<spec::api::SystemVersion>({.path = "/version"});
}
Result<spec::api::SystemInfo> Client::info() { return get<spec::api::SystemInfo>({.path = "/info"}); }

Result<JsonStream<spec::api::Event>> Client::events(const EventsOptions& options) {
  ApiCall request{.path = "/events"};
  if (!options.since.empty()) request.query.add("since", options.since);
  if (!options.until.empty()) request.query.add("until", options.until);
  if (!options.filters.empty()) request.query.add("filters", encode_filters(options.filters));
  return JsonStream<spec::api::Event>{TRY(call(request))};
}

}  // namespace client
