#pragma once
/// Authorization plugins: programs that are shown each request before it runs and each answer before it is sent, and say
/// yes or no. Whatever goes wrong with one is a no. Source: docker's access authorization plugin, protocol v1.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/forwarding_exchange.h"
#include "codec/json.h"
#include "http/client.h"

namespace api {

/// One plugin, by docker's discovery: NAME.sock, NAME.spec ("unix:///path", "tcp://host:port") or NAME.json.
class AuthorizationPlugin {
 public:
  /// Finds it and says hello (/Plugin.Activate). Errors: NotFound; InvalidArgument: it is no "authz" plugin.
  static base::Result<std::shared_ptr<AuthorizationPlugin>> activate(const std::string& name);

  AuthorizationPlugin(std::string name, http::Endpoint endpoint);
  [[nodiscard]] const std::string& name() const { return name_; }
  /// `method`: "AuthZPlugin.AuthZReq". Errors: PermissionDenied "authorization denied by plugin …", Internal.
  base::Result<> ask(std::string_view method, const codec::Json& question);

 private:
  base::Result<codec::Json> call(std::string_view method, const codec::Json& body);

  const std::string name_;
  http::Client client_;
};

/// The plugins in the order in which they are asked. Safe from any thread.
class Authorization {
 public:
  using Plugins = std::vector<std::shared_ptr<AuthorizationPlugin>>;

  /// Activates all of them. Errors: those of activate.
  static base::Result<std::shared_ptr<const Plugins>> prepare(const std::vector<std::string>& names);
  /// For requests that come from here on.
  void use(std::shared_ptr<const Plugins> plugins);
  [[nodiscard]] std::shared_ptr<const Plugins> plugins() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  std::shared_ptr<const Plugins> plugins_ = std::make_shared<const Plugins>();
};

/// An exchange under the eyes of plugins. `admit` comes before anything else.
class AuthorizedExchange final : public ForwardingExchange {
 public:
  AuthorizedExchange(http::Exchange& inner, std::shared_ptr<const Authorization::Plugins> plugins)
      : ForwardingExchange{inner}, plugins_{std::move(plugins)} {}

  /// Shows the request; its body too, if it is JSON. Errors: those of ask; InvalidArgument for a body that is too large
  /// to be shown.
  base::Result<> admit();

  [[nodiscard]] base::ByteSource& body() override;
  /// An answer that a plugin denies is replaced; a stream or a hijacked connection is asked for before it begins.
  base::Result<> respond(int status, const http::Headers& headers, std::string_view body) override;
  base::Result<> begin(int status, const http::Headers& headers) override;
  base::Result<http::Upgraded> hijack(int status, std::string_view reason, const http::Headers& headers) override;

 private:
  base::Result<> show_answer(int status, const http::Headers& headers, std::string_view body);

  std::shared_ptr<const Authorization::Plugins> plugins_;
  codec::Json question_;
  std::unique_ptr<base::ByteSource> shown_body_;  ///< what was read of the body, to be read again
};

}  // namespace api
