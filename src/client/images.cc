#include "client/images.h"

#include "base/strings.h"
#include "spec/oci_image.h"

namespace client {

using base::Result;

namespace {

std::string path_of(const std::string& ref, std::string_view verb) {
  return "/images/" + http::encode_path(ref) + std::string{verb};
}

void add_auth(http::Headers& headers, const std::optional<RegistryAuth>& auth) {
  if (auth) headers.add("X-Registry-Auth", auth->encode());
}

/// The API wants platforms as JSON.
Result<> add_platform(http::Query& query, const std::string& platform) {
  if (platform.empty()) return {};
  query.add("platform", codec::to_json(TRY(spec::Platform::parse(platform))).dump());
  return {};
}

}  // namespace

std::string RegistryAuth::encode() const {
  codec::Json out{codec::Json::Object{}};
  const auto set = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out.set(name, value);
  };
  set("username", username);
  set("password", password);
  set("auth", auth);
  set("serveraddress", server_address);
  set("identitytoken", identity_token);
  set("registrytoken", registry_token);
  return base::base64_url(out.dump());
}

Result<std::vector<spec::api::ImageSummary>> Images::list(bool all, const Filters& filters, bool manifests) {
  ApiCall request{.path = "/images/json"};
  if (all) request.query.add("all", "1");
  if (manifests) request.query.add("manifests", "1");
  if (!filters.empty()) request.query.add("filters", encode_filters(filters));
  return client_.get<std::vector<spec::api::ImageSummary>>(request);
}

Result<spec::api::ImageInspect> Images::inspect(const std::string& ref) {
  return codec::from_json<spec::api::ImageInspect>(TRY(inspect_raw(ref)));
}

Result<codec::Json> Images::inspect_raw(const std::string& ref, const std::string& platform) {
  ApiCall request{.path = path_of(ref, "/json")};
  TRY(add_platform(request.query, platform));
  return client_.json(request);
}

Result<std::vector<spec::api::ImageHistoryItem>> Images::history(const std::string& ref, const std::string& platform) {
  ApiCall request{.path = path_of(ref, "/history")};
  TRY(add_platform(request.query, platform));
  return client_.get<std::vector<spec::api::ImageHistoryItem>>(request);
}

Result<std::vector<spec::api::ImageDeleteItem>> Images::remove(const std::string& ref, bool force,
                                                               bool no_prune) {
  ApiCall request{.method = "DELETE", .path = path_of(ref, "")};
  if (force) request.query.add("force", "1");
  if (no_prune) request.query.add("noprune", "1");
  return client_.get<std::vector<spec::api::ImageDeleteItem>>(request);
}

Result<> Images::tag(const std::string& ref, const std::string& repository, const std::string& tag) {
  ApiCall request{.method = "POST", .path = path_of(ref, "/tag")};
  request.query.add("repo", repository);
  if (!tag.empty()) request.query.add("tag", tag);
  return client_.done(request);
}

Result<ProgressStream> Images::pull(const PullOptions& options) {
  ApiCall request{.method = "POST", .path = "/images/create"};
  request.query.add("fromImage", options.reference);
  if (!options.tag.empty()) request.query.add("tag", options.tag);
  if (!options.platform.empty()) request.query.add("platform", options.platform);
  add_auth(request.headers, options.auth);
  return ProgressStream{TRY(client_.call(request))};
}

Result<ProgressStream> Images::push(const PushOptions& options) {
  ApiCall request{.method = "POST", .path = path_of(options.reference, "/push")};
  if (!options.tag.empty()) request.query.add("tag", options.tag);
  TRY(add_platform(request.query, options.platform));
  // The route wants the field even when there is nothing to say.
  add_auth(request.headers, options.auth ? options.auth : std::optional{RegistryAuth{}});
  return ProgressStream{TRY(client_.call(request))};
}

Result<ProgressStream> Images::import(const ImportOptions& options, base::ByteSource* archive) {
  ApiCall request{.method = "POST", .path = "/images/create", .stream = archive};
  request.query.add("fromSrc", options.source);
  if (!options.repository.empty()) request.query.add("repo", options.repository);
  if (!options.message.empty()) request.query.add("message", options.message);
  if (!options.platform.empty()) request.query.add("platform", options.platform);
  for (const auto& change : options.changes) request.query.add("changes", change);
  return ProgressStream{TRY(client_.call(request))};
}

Result<ProgressStream> Images::load(base::ByteSource& archive, bool quiet, const std::vector<std::string>& platforms) {
  ApiCall request{.method = "POST", .path = "/images/load", .stream = &archive};
  request.query.add("quiet", quiet ? "1" : "0");
  for (const auto& platform : platforms) TRY(add_platform(request.query, platform));
  return ProgressStream{TRY(client_.call(request))};
}

Result<std::unique_ptr<http::Reply>> Images::save(const std::vector<std::string>& refs,
                                                  const std::vector<std::string>& platforms) {
  ApiCall request{.path = "/images/get"};
  for (const auto& platform : platforms) TRY(add_platform(request.query, platform));
  for (const auto& ref : refs) request.query.add("names", ref);
  return client_.call(request);
}

}  // namespace client
