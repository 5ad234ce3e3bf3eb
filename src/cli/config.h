#pragma once
/// The user's config.json: docker's file, in DOCKER_CONFIG or ~/.docker. Read once; `login` and `logout` write it
/// (credential_store.h).

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "codec/json.h"

namespace cli {

struct Credentials {
  std::string username, password, identity_token;
};

/// "https://host/v1/" and "host" are the same registry.
[[nodiscard]] std::string_view host_of_server(std::string_view server);

class Config {
 public:
  /// A file that is not there is an empty one. Errors: InvalidArgument (no JSON).
  static base::Result<Config> load(const std::string& directory);
  /// DOCKER_CONFIG, or ~/.docker.
  [[nodiscard]] static std::string default_directory();

  /// "psFormat", "detachKeys", …: "" when it is not set.
  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] std::map<std::string, std::string> http_headers() const;
  /// Of a registry, "registry.example.com:5000" or "https://index.docker.io/v1/". From `auths`, or from the
  /// helper that `credHelpers` or `credsStore` name. nullopt: none. Errors: those of the helper.
  [[nodiscard]] base::Result<std::optional<Credentials>> credentials(const std::string& registry) const;
  /// The credential helper that keeps this registry's credentials; "" for the file itself.
  [[nodiscard]] std::string credential_helper(const std::string& registry) const;
  [[nodiscard]] const codec::Json& json() const { return json_; }

 private:
  codec::Json json_;
};

}  // namespace cli
