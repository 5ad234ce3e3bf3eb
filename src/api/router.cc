#include "api/router.h"

#include <array>
#include <exception>

#include <fmt/format.h>

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

base::Result<> Router::dispatch(http::Exchange& exchange) {
  const auto& request = exchange.request();
  if (!request.query.error().empty()) return base::invalid(request.query.error());
  const auto [version, path] = TRY(split_version(request.path));
  for (const auto routes : {system_routes(), container_routes(), stream_routes(), file_routes(), exec_routes(),
                            image_routes(), network_routes(), volume_routes(), registry_routes()}) {
    for (const Route& route : routes) {
      if (route.method != request.method) continue;
      auto parameters = match(route.pattern, path);
      if (!parameters) continue;
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
  base::Result<> done;
  try {
    done = dispatch(exchange);
  } catch (const std::exception& failure) {
    done = base::internal(std::string{"unexpected failure: "} + failure.what());
  }
  if (done) return;
  const auto& request = exchange.request();
  if (exchange.begun()) {
    base::log::debug("{} {}: the answer broke off: {}", request.method, request.path, done.error().message());
    return;
  }
  if (done.error().is(base::ErrorKind::Internal)) {
    base::log::error("Handler for {} {} returned error: {}", request.method, request.path, done.error().message());
  } else {
    base::log::debug("{} {}: {}", request.method, request.path, done.error().message());
  }
  base::ignore(reply_error(exchange, done.error()), "the client is gone");
}

}  // namespace api
