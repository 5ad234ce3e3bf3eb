#pragma once
/// One API request on its way through a route: the exchange, the decoded path, the version that the
/// client speaks, and the services. Adapters from HTTP's text to typed values live here, once.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/answer_fields.h"
#include "api/version.h"
#include "base/result.h"
#include "codec/describe.h"
#include "engine/container_files.h"
#include "engine/containers.h"
#include "engine/images.h"
#include "engine/networks.h"
#include "engine/registries.h"
#include "engine/system.h"
#include "engine/volumes.h"
#include "http/exchange.h"

namespace api {

/// What the routes call. References: the engine outlives the server.
struct Services {
  engine::Containers& containers;
  engine::Execs& execs;
  engine::ContainerFiles& files;
  engine::Images& images;
  engine::Networks& networks;
  engine::Volumes& volumes;
  engine::Registries& registries;
  engine::System& system;
  engine::Events& events;
};

class Call {
 public:
  Call(http::Exchange& exchange, Services& services, Version version,
       std::map<std::string, std::string> parameters)
      : exchange_{exchange}, services_{services}, version_{version}, parameters_{std::move(parameters)} {}

  [[nodiscard]] http::Exchange& exchange() { return exchange_; }
  [[nodiscard]] Services& services() { return services_; }
  [[nodiscard]] Version version() const { return version_; }

  /// The part of the path that the route's pattern names: "{name}".
  [[nodiscard]] const std::string& path(const std::string& name) const { return parameters_.at(name); }

  /// "" if it is not there.
  [[nodiscard]] std::string text(std::string_view name) const;
  /// As docker reads a bool: false for "", "0", "no", "false", "none"; `otherwise` if it is not there.
  [[nodiscard]] bool flag(std::string_view name, bool otherwise = false) const;
  /// nullopt if it is not there or empty. Errors: InvalidArgument.
  [[nodiscard]] base::Result<std::optional<std::int64_t>> integer(std::string_view name) const;
  /// {"name":["x"]} or the older {"name":{"x":true}}. Errors: InvalidArgument.
  [[nodiscard]] base::Result<engine::Filters> filters() const;
  /// docker's times (base::parse_timestamp); nullopt for none and for "0".
  [[nodiscard]] base::Result<std::optional<base::Time>> time(std::string_view name) const;
  struct TerminalSize {
    unsigned rows, columns;
  };
  /// `h` and `w`. Errors: InvalidArgument.
  [[nodiscard]] base::Result<TerminalSize> terminal_size() const;
  /// X-Registry-Auth; empty without one. Errors: InvalidArgument.
  [[nodiscard]] base::Result<engine::RegistryAuth> registry_auth() const;

  /// The request's body as JSON. Errors: InvalidArgument with docker's wording (content type, empty,
  /// malformed, trailing).
  base::Result<codec::Json> json_body();
  /// The same; null for no body at all.
  base::Result<codec::Json> optional_json_body();
  template <class T>
  base::Result<T> body() {
    return codec::from_json<T>(TRY(json_body()));
  }

  base::Result<> reply(int status, const codec::Json& json);
  template <class T>
  base::Result<> reply(int status, const T& value) {
    return reply(status, codec::to_json(value));
  }
  /// An object, or a list of them, in the form of the client's version.
  template <class T>
  base::Result<> reply(int status, Shape shape, const T& value) {
    return reply_adapted(status, shape, codec::to_json(value));
  }
  base::Result<> reply_adapted(int status, Shape shape, codec::Json json);
  /// 204 and the like.
  base::Result<> reply_empty(int status);

 private:
  [[nodiscard]] base::Result<codec::Json> parse_body(const std::string& text) const;

  http::Exchange& exchange_;
  Services& services_;
  Version version_;
  std::map<std::string, std::string> parameters_;
};

}  // namespace api
