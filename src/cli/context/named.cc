#include "cli/context/named.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "cli/container/environment.h"
#include "cli/csv.h"

namespace cli {

using base::Result;
using codec::Json;

Result<Json> context_meta(Cli& cli, const std::string& name) {
  if (name != kDefaultContext) return cli.contexts().find(name);
  const auto target = TRY(cli.target_of(name));
  Json meta;
  meta.set("Name", name);
  meta.set("Metadata", Json{Json::Object{}});
  return with_docker_endpoint(
      std::move(meta),
      Json::object({{"Host", target.host}, {"SkipTLSVerify", target.tls && !target.tls_verify}}));
}

Result<ContextTls> context_tls(Cli& cli, const std::string& name) {
  if (name != kDefaultContext) return cli.contexts().tls(name);
  const auto target = TRY(cli.target_of(name));
  ContextTls out;
  const auto take = [&](const char* file, const std::string& path) -> Result<> {
    if (!path.empty()) out[kDockerEndpoint][file] = TRY(read_user_file(path));
    return {};
  };
  TRY(take("ca.pem", target.ca));
  TRY(take("cert.pem", target.certificate));
  TRY(take("key.pem", target.key));
  return out;
}

Result<> save_context(Cli& cli, const std::string& name, Json meta, const ContextTls& tls) {
  const ContextStore store = cli.contexts();
  const bool is_new = !TRY(store.contains(name));
  // The name goes first, as docker writes it.
  Json whole;
  whole.set("Name", name);
  for (const std::string_view member : {"Metadata", "Endpoints"}) {
    if (!meta[member].is_null()) whole.set(member, meta[member]);
  }
  for (auto& [member, value] : meta.members()) {
    if (whole.find(member) == nullptr) whole.set(member, std::move(value));
  }
  base::ScopeGuard undo{[&] {
    if (is_new) base::ignore(store.remove(name), "the first failure is what counts");
  }};
  TRY(store.replace_tls(name, tls));
  TRY(store.save(whole));
  undo.release();
  return {};
}

Result<> add_endpoint_setting(std::map<std::string, std::string>& settings, std::string_view text) {
  const auto equals = std::ranges::count(text, '=');
  if (equals == 0) return base::invalid(fmt::format("{} must be formatted as key=value", text));
  // A single pair may hold commas; as pflag has it.
  std::vector<std::string> pairs;
  if (equals == 1) {
    pairs.emplace_back(text.starts_with('"') && text.ends_with('"') && text.size() > 1 ? text.substr(1, text.size() - 2)
                                                                                      : text);
  } else {
    pairs = TRY(parse_csv(text));
  }
  for (const auto& item : pairs) {
    const auto pair = base::cut(item, "=");
    if (!pair) return base::invalid(fmt::format("{} must be formatted as key=value", item));
    settings[std::string{pair->first}] = pair->second;
  }
  return {};
}

Result<EndpointSettings> endpoint_from_settings(Cli& cli, const std::map<std::string, std::string>& settings) {
  EndpointSettings out;
  if (const auto from = settings.find("from"); from != settings.end()) {
    const auto intent = "unable to create docker endpoint config";
    const Json meta = TRY(context_meta(cli, from->second).context(intent));
    out.endpoint = meta["Endpoints"][kDockerEndpoint];
    if (!out.endpoint.is_object()) {
      return base::not_found(
          fmt::format("{}: unable to get endpoint from context {}", intent, base::quoted(from->second)));
    }
    out.tls = TRY(context_tls(cli, from->second).context(intent))[kDockerEndpoint];
    return out;
  }
  return parse_endpoint(settings);
}

void warn_of_host_variable(Cli& cli, std::string_view use) {
  const char* host = std::getenv("DOCKER_HOST");
  if (host == nullptr || *host == '\0') return;
  cli.err().line(
      "Warning: DOCKER_HOST environment variable overrides the active context. To use {}, either set the global "
      "--context flag, or unset DOCKER_HOST environment variable.",
      use);
}

Json with_docker_endpoint(Json meta, Json endpoint) {
  Json endpoints = meta["Endpoints"];
  endpoints.set(kDockerEndpoint, std::move(endpoint));
  meta.set("Endpoints", std::move(endpoints));
  return meta;
}

Json with_description(Json meta, const std::string& description) {
  Json metadata = meta["Metadata"].is_object() ? meta["Metadata"] : Json{Json::Object{}};
  if (!description.empty()) metadata.set("Description", description);
  meta.set("Metadata", std::move(metadata));
  return meta;
}

}  // namespace cli
