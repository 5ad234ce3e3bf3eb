#include "api/router.h"

#include <array>
#include <chrono>
#include <exception>

#include <fmt/format.h>

#include "api/answer.h"
#include "api/errors.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/version.h"

namespace api {
namespace {

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }
bool takes_many(std::string_view segment) { return is_parameter(segment) && segment.ends_with("...}"); }

std::string joined(const std::vector<std::string_view>& parts, std::size_t from, std::size_t count) {
  std::string out;
  for (std::size_t i = from; i < from + count; ++i) {
    if (i != from) out += '/';
    out += parts[i];
  }
  return out;
}

/// Before the head an error becomes a status; after it the stream is broken, and that is only noted.
void fail(http::Exchange& exchange, const base::Error& error) {
  const auto& request = exchange.request();
  if (exchange.begun()) {
    base::log::debug("{} {}: the answer broke off: {}", request.method, request.path, error.message());
    return;
  }
  if (error.is(base::ErrorKind::Internal)) {
    base::log::error("Handler for {} {} returned error: {}", request.method, request.path, error.message());
  } else {
    base::log::debug("{} {}: {}", request.method, request.path, error.message());
  }
  base::ignore(reply_error(exchange, error), "the client is gone");
}

}  // namespace

std::optional<std::map<std::string, std::string>> match(std::string_view pattern, std::string_view path) {
  const auto want = base::split_words(pattern, '/');
  const auto have = base::split(path.starts_with('/') ? path.substr(1) : path, '/');
  if (have.size() < want.size()) return std::nullopt;
  const std::size_t extra = have.size() - want.size();
  std::map<std::string, std::string> parameters;
  std::size_t at = 0;
  bool stretched = false;
  for (const auto segment : want) {
    if (takes_many(segment)) {
      const std::size_t count = stretched ? 1 : extra + 1;
      stretched = true;
      parameters[std::string{segment.substr(1, segment.size() - 5)}] = joined(have, at, count);
      at += count;
    } else if (is_parameter(segment)) {
      if (have[at].empty()) return std::nullopt;
      parameters[std::string{segment.substr(1, segment.size() - 2)}] = have[at++];
    } else if (segment != have[at++]) {
      return std::nullopt;
    }
  }
  if (at != have.size()) return std::nullopt;
  return parameters;
}

base::Result<> Router::dispatch(http::Exchange& exchange, const Route*& chosen) {
  const auto& request = exchange.request();
  if (!request.query.error().empty()) return base::invalid(request.query.error());
  if (request.method == "OPTIONS") return exchange.respond(200, {}, "");
  const auto [version, path] = TRY(split_version(request.path, options_.oldest));
  for (const auto routes : {system_routes(), container_routes(), stream_routes(), file_routes(), exec_routes(),
                            image_routes(), network_routes(), volume_routes(), registry_routes(), disk_usage_routes(),
                            absent_routes(), swarm_routes()}) {
    for (const Route& route : routes) {
      if (route.method != request.method) continue;
      auto parameters = match(route.pattern, path);
      if (!parameters) continue;
      chosen = &route;
      if (version < route.since) {
        return base::invalid(fmt::format("{} {} requires minimum API version {}", request.method, path,
                                         route.since.str()));
      }
      Call call{exchange, services_, version, std::move(*parameters)};
      return route.run(call);
    }
  }
  return base::not_found("page not found");
}

void Router::handle(http::Exchange& exchange) {
  const auto begin = std::chrono::steady_clock::now();
  Answer with_headers{exchange};
  const Route* route = answer(with_headers);
  if (options_.metrics == nullptr) return;
  options_.metrics->count(route == nullptr ? "" : route->method, route == nullptr ? "" : route->pattern,
                          with_headers.status(), std::chrono::steady_clock::now() - begin);
}

const Route* Router::answer(http::Exchange& exchange) {
  const Route* route = nullptr;
  const auto plugins = options_.authorization == nullptr ? nullptr : options_.authorization->plugins();
  base::Result<> done;
  try {
    if (plugins == nullptr || plugins->empty()) {
      done = dispatch(exchange, route);
      if (!done) fail(exchange, done.error());
      return route;
    }
    AuthorizedExchange watched{exchange, plugins};
    if (const auto admitted = watched.admit(); !admitted) {
      fail(exchange, admitted.error());
      return nullptr;
    }
    done = dispatch(watched, route);
    if (!done) fail(watched, done.error());
  } catch (const std::exception& failure) {
    fail(exchange, base::internal(std::string{"unexpected failure: "} + failure.what()));
  }
  return route;
}

}  // namespace api
