#pragma once
/// The user's config.json: docker's file, in DOCKER_CONFIG or ~/.docker. Members that this program does not know
/// are kept when it is written. `login` and `logout` write it, too (credential_store.h).

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
  Config() = default;
  /// An empty one that would be saved in this directory.
  explicit Config(std::string directory) : directory_{std::move(directory)} {}

  /// A file that is not there is an empty one. Errors: "parsing config file (x/config.json): …" (no JSON),
  /// "loading config file: …" (can't be read).
  static base::Result<Config> load(const std::string& directory);
  /// DOCKER_CONFIG, or ~/.docker.
  [[nodiscard]] static std::string default_directory();

  /// "psFormat", "detachKeys", …: "" when it is not set.
  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] std::map<std::string, std::string> http_headers() const;
  /// Environment of new containers, HTTP_PROXY and its like in capitals and small letters, as `proxies` has it for
  /// this daemon, or for all ("default").
  [[nodiscard]] std::map<std::string, std::string> proxy_environment(const std::string& host) const;
  /// Of a registry, "registry.example.com:5000" or "https://index.docker.io/v1/". From `auths`, or from the
  /// helper that `credHelpers` or `credsStore` name. nullopt: none. Errors: those of the helper.
  [[nodiscard]] base::Result<std::optional<Credentials>> credentials(const std::string& registry) const;
  /// The credential helper that keeps this registry's credentials; "" for the file itself.
  [[nodiscard]] std::string credential_helper(const std::string& registry) const;
  [[nodiscard]] const codec::Json& json() const { return json_; }

  /// A null removes the member. Nothing is written before `save`.
  void set(std::string_view key, codec::Json value);
  /// Replaces the file as a whole, 0600 when it is new; a symlink stays one, and its target is replaced.
  /// Errors: those of the file system.
  [[nodiscard]] base::Result<> save() const;

 private:
  std::string directory_;
  codec::Json json_;
};

}  // namespace cli
