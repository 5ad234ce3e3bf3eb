#include "cli/cli.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/version.h"
#include "cli/context/endpoint.h"
#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : value;
}

/// Ours goes before docker's, so that both clients can be used from one shell.
std::string environment_host() {
  auto host = environment("CAISSON_HOST");
  return host.empty() ? environment("DOCKER_HOST") : host;
}

}  // namespace

GlobalOptions GlobalOptions::from_environment() {
  GlobalOptions out;
  const client::Target target = client::target_from_environment();
  out.tls = target.tls;
  out.tls_verify = target.tls_verify;
  out.ca = target.ca;
  out.certificate = target.certificate;
  out.key = target.key;
  return out;
}

Config& Cli::config() {
  if (!config_) {
    auto loaded = Config::load(options_.config);
    if (!loaded) err_.line("WARNING: Error {}", loaded.error().message());
    config_ = loaded ? std::move(*loaded) : Config{options_.config};
  }
  return *config_;
}

std::string Cli::context_name() {
  if (!options_.context.empty()) return options_.context;
  if (!options_.hosts.empty() || !environment_host().empty()) return std::string{kDefaultContext};
  if (auto name = environment("DOCKER_CONTEXT"); !name.empty()) return name;
  auto name = config().text("currentContext");
  return name.empty() ? std::string{kDefaultContext} : name;
}

Result<client::Target> Cli::default_target() const {
  if (options_.hosts.size() > 1) return base::invalid("Specify only one -H");
  client::Target target;
  target.api_version = environment("DOCKER_API_VERSION");
  target.tls = options_.tls || options_.tls_verify || options_.tls_verify_given;
  target.tls_verify = options_.tls_verify;
  target.host = TRY(client::complete_host(options_.hosts.empty() ? environment_host() : options_.hosts[0], target.tls));
  if (!target.tls) return target;
  target.ca = options_.ca;
  // A certificate of our own is used when it is there, unless a flag asks for it.
  const auto optional = [](const std::string& path, bool given) -> Result<std::string> {
    return given || TRY(sys::exists(sys::kCwd, path)) ? path : std::string{};
  };
  target.certificate = TRY(optional(options_.certificate, options_.certificate_given));
  target.key = TRY(optional(options_.key, options_.key_given));
  return target;
}

Result<client::Target> Cli::target_of(const std::string& context) {
  if (context == kDefaultContext) return default_target();
  auto target = TRY(target_of_context(contexts(), context));
  target.api_version = environment("DOCKER_API_VERSION");
  return target;
}

Result<client::Target> Cli::target() {
  return target_of(context_name()).context("unable to resolve docker endpoint");
}

Result<client::Client*> Cli::client() {
  if (!client_) {
    http::Headers headers;
    for (const auto& [name, value] : config().http_headers()) {
      // As docker: a user agent is what the program is, not what a file says.
      if (!base::equal_ignoring_case(name, "User-Agent")) headers.add(name, value);
    }
    client_ = TRY(client::Client::open(TRY(target()), fmt::format("caisson/{} (linux)", base::kVersion),
                                       std::move(headers)));
  }
  return client_.get();
}

}  // namespace cli
