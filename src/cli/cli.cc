#include "cli/cli.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/version.h"

namespace cli {

using base::Result;

const Config& Cli::config() {
  if (!config_) {
    auto loaded = Config::load(options_.config);
    if (!loaded) err_.line("WARNING: Error loading config file: {}", loaded.error().message());
    config_ = loaded ? std::move(*loaded) : Config{};
  }
  return *config_;
}

client::Target Cli::target() const {
  client::Target target = client::target_from_environment();
  if (const char* host = std::getenv("CAISSON_HOST"); host != nullptr && *host != '\0') target.host = host;
  if (!options_.hosts.empty()) target.host = options_.hosts[0];
  if (target.host.empty()) target.host = client::kDefaultHost;
  target.tls = target.tls || options_.tls;
  if (options_.tls_verify_given) target.tls_verify = options_.tls_verify;
  if (!options_.ca.empty()) target.ca = options_.ca;
  if (!options_.certificate.empty()) target.certificate = options_.certificate;
  if (!options_.key.empty()) target.key = options_.key;
  return target;
}

Result<client::Client*> Cli::client() {
  if (!client_) {
    http::Headers headers;
    for (const auto& [name, value] : config().http_headers()) {
      // As docker: a user agent is what the program is, not what a file says.
      if (!base::equal_ignoring_case(name, "User-Agent")) headers.add(name, value);
    }
    client_ = TRY(client::Client::open(target(), fmt::format("caisson/{} (linux)", base::kVersion),
                                       std::move(headers)));
  }
  return client_.get();
}

}  // namespace cli
