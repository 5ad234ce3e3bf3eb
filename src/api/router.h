#pragma once
/// The table from method and path to a function, and the handler that the HTTP server calls.

#include <span>
#include <string_view>

#include "api/authorization.h"
#include "api/call.h"
#include "api/metrics.h"
#include "http/exchange.h"

namespace api {

/// One row. In a pattern "{id}" stands for one segment, and "{name...}" for one or more of them (an
/// image's name has slashes).
struct Route {
  std::string_view method;
  std::string_view pattern;
  base::Result<> (*run)(Call& call);
  /// The first version that has it.
  Version since = {1, 24};
};

/// The rows of one noun, each in its file.
std::span<const Route> system_routes();
std::span<const Route> container_routes();
std::span<const Route> stream_routes();
std::span<const Route> exec_routes();
std::span<const Route> file_routes();
std::span<const Route> image_routes();
std::span<const Route> network_routes();
std::span<const Route> volume_routes();
std::span<const Route> absent_routes();
std::span<const Route> disk_usage_routes();
std::span<const Route> registry_routes();
std::span<const Route> swarm_routes();

class Router final : public http::Handler {
 public:
  struct Options {
    Version oldest = oldest_version();      ///< clients that are older are sent away
    Metrics* metrics = nullptr;             ///< told of each answer
    Authorization* authorization = nullptr;  ///< asked before each
  };
  explicit Router(const Services& services) : Router{services, Options{}} {}
  Router(const Services& services, const Options& options) : services_{services}, options_{options} {}
  /// Runs the route; an error that comes before the head becomes its status, a later one breaks the
  /// stream and is logged.
  void handle(http::Exchange& exchange) override;

 private:
  /// What answered: its route, or null.
  const Route* answer(http::Exchange& exchange);
  base::Result<> dispatch(http::Exchange& exchange, const Route*& chosen);
  Services services_;
  const Options options_;
};

/// Whether `path` has the form of `pattern`, and its parts. For tests.
[[nodiscard]] std::optional<std::map<std::string, std::string>> match(std::string_view pattern,
                                                                     std::string_view path);

}  // namespace api
