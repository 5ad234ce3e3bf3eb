#include <array>

#include "api/errors.h"
#include "api/router.h"
#include "base/strings.h"
#include "spec/oci_image.h"

namespace api {

using base::Result;

namespace {

engine::Images& images(Call& call) { return call.services().images; }

/// Progress as a stream of JSON lines. The head goes out with the first one, so that an error before
/// it still is a status; a later one is the stream's last line.
class ProgressStream final : public engine::ProgressSink {
 public:
  explicit ProgressStream(http::Exchange& exchange) : exchange_{exchange} {}

  void message(const spec::api::ProgressMessage& message) override {
    if (!sent_) return;
    if (!exchange_.begun()) sent_ = exchange_.begin(200, {{"Content-Type", "application/json"}});
    if (sent_) sent_ = exchange_.write(codec::to_json(message).dump() + "\r\n");
  }

  Result<> finish(const Result<>& done) {
    if (!done) {
      if (!exchange_.begun()) return done;
      spec::api::ProgressMessage last;
      last.error = done.error().message();
      last.error_detail = spec::api::ErrorDetail{.code = 0, .message = last.error};
      message(last);
    }
    TRY(std::move(sent_));
    if (!exchange_.begun()) TRY(exchange_.begin(200, {{"Content-Type", "application/json"}}));
    return exchange_.finish();
  }

 private:
  http::Exchange& exchange_;
  Result<> sent_;  ///< a client that went away is told nothing more
};

/// A JSON-encoded OCI platform as text; "" for none. Errors: InvalidArgument.
Result<std::string> platform_text(const std::string& value) {
  if (value.empty()) return std::string{};
  const auto json = codec::Json::parse(value);
  if (!json || !json->is_object()) return base::invalid("failed to parse platform: invalid JSON");
  const auto platform = TRY(codec::from_json<spec::Platform>(*json).context("failed to parse platform"));
  if (platform.os.empty() || platform.architecture.empty()) {
    return base::invalid("failed to parse platform: both OS and Architecture must be provided");
  }
  return platform.str();
}

Result<std::string> platform_of(Call& call) { return platform_text(call.text("platform")); }

Result<std::vector<std::string>> platforms_of(Call& call) {
  std::vector<std::string> platforms;
  for (const auto& value : call.exchange().request().query.all("platform")) {
    if (auto text = TRY(platform_text(value)); !text.empty()) platforms.push_back(std::move(text));
  }
  return platforms;
}

Result<> list(Call& call) {
  auto filters = TRY(call.filters());
  const bool manifests = call.version() >= Version{1, 47} && call.flag("manifests");
  auto json = codec::to_json(TRY(images(call).list(call.flag("all"), filters, manifests)));
  if (json.is_array()) {
    for (auto& image : json.items()) adapt_image(image, Shape::ImageSummary, call.version());
  }
  return call.reply(200, json);
}

Result<> inspect(Call& call) {
  engine::ImageInspectOptions options;
  if (call.version() >= Version{1, 49}) options.platform = TRY(platform_of(call));
  options.manifests = call.version() >= Version{1, 48} && call.flag("manifests");
  if (options.manifests && !options.platform.empty()) {
    return base::invalid("conflicting options: manifests and platform options cannot both be set");
  }
  auto json = codec::to_json(TRY(images(call).inspect(call.path("name"), options)));
  adapt_image(json, Shape::Image, call.version());
  return call.reply(200, json);
}

Result<> history(Call& call) {
  return call.reply(200, TRY(images(call).history(call.path("name"), TRY(platform_of(call)))));
}

Result<> attestations(Call& call) {
  const auto platforms = TRY(platforms_of(call));
  if (platforms.size() > 1) return base::invalid("only one platform can be given");
  const engine::AttestationOptions options{.platform = platforms.empty() ? std::string{} : platforms.front(),
                                           .types = call.exchange().request().query.all("type"),
                                           .statement = call.flag("statement")};
  return call.reply(200, TRY(images(call).attestations(call.path("name"), options)));
}

Result<> remove(Call& call) {
  return call.reply(200, TRY(images(call).remove(call.path("name"), call.flag("force"), call.flag("noprune"))));
}

Result<> prune(Call& call) {
  const bool dry_run = call.flag("dry-run");
  const auto report = TRY(images(call).prune(TRY(call.filters()), dry_run));
  auto answer = codec::Json::object({{"ImagesDeleted", codec::to_json(report.items)}, {"SpaceReclaimed", report.bytes}});
  if (dry_run) answer.set("DryRun", true);
  return call.reply(200, answer);
}

/// There is no cache of builds: a `system prune` has nothing to do here.
Result<> prune_builds(Call& call) {
  return call.reply(200, codec::Json::object({{"CachesDeleted", codec::Json{}}, {"SpaceReclaimed", std::int64_t{0}}}));
}

Result<> tag(Call& call) {
  TRY(images(call).tag(call.path("name"), call.text("repo"), call.text("tag")));
  return call.reply_empty(201);
}

Result<> import(Call& call) {
  engine::ImportOptions options;
  options.source = call.text("fromSrc");
  if (options.source.empty()) return base::invalid("neither fromImage nor fromSrc is given");
  options.repository = call.text("repo");
  options.tag = call.text("tag");
  options.message = call.text("message");
  options.platform = call.text("platform");
  options.changes = call.exchange().request().query.all("changes");
  ProgressStream progress{call.exchange()};
  return progress.finish(images(call).import(options, call.exchange().body(), progress, call.exchange().stop_token()));
}

Result<> create(Call& call) {
  if (call.text("fromImage").empty()) return import(call);
  engine::PullOptions options;
  options.reference = call.text("fromImage");
  options.tag = call.text("tag");
  options.platform = call.text("platform");
  options.auth = TRY(call.registry_auth());
  ProgressStream progress{call.exchange()};
  return progress.finish(images(call).pull(options, progress, call.exchange().stop_token()));
}

Result<> push(Call& call) {
  engine::PushOptions options;
  options.reference = call.path("name");
  options.tag = call.text("tag");
  options.platform = TRY(platform_of(call));
  options.auth = TRY(call.registry_auth());
  ProgressStream progress{call.exchange()};
  return progress.finish(images(call).push(options, progress, call.exchange().stop_token()));
}

Result<> load(Call& call) {
  ProgressStream progress{call.exchange()};
  const auto platforms = TRY(platforms_of(call));
  // What is wrong with an archive stands in the stream, as docker's clients expect it.
  TRY(call.exchange().begin(200, {{"Content-Type", "application/json"}}));
  return progress.finish(images(call).load(call.exchange().body(), call.flag("quiet"), progress, platforms));
}

Result<> save(Call& call, const std::vector<std::string>& refs) {
  /// The head goes out with the first byte: an unknown image is still a 404.
  class Archive final : public base::ByteSink {
   public:
    explicit Archive(http::Exchange& exchange) : exchange_{exchange} {}
    Result<> write(std::string_view bytes) override {
      if (!exchange_.begun()) TRY(exchange_.begin(200, {{"Content-Type", "application/x-tar"}}));
      return exchange_.write(bytes);
    }

   private:
    http::Exchange& exchange_;
  };
  Archive archive{call.exchange()};
  TRY(images(call).save(refs, archive, TRY(platforms_of(call))));
  return call.exchange().finish();
}

Result<> save_many(Call& call) {
  std::vector<std::string> refs;
  for (const auto& value : call.exchange().request().query.all("names")) {
    for (const auto name : base::split_words(value, ',')) refs.emplace_back(name);
  }
  if (refs.empty()) return base::invalid("no image names given");
  return save(call, refs);
}

Result<> save_one(Call& call) { return save(call, {call.path("name")}); }

constexpr std::array kRoutes{
    Route{"GET", "/images/json", list},
    Route{"POST", "/images/create", create},
    Route{"POST", "/images/load", load},
    Route{"POST", "/images/prune", prune},
    Route{"POST", "/build/prune", prune_builds},
    Route{"GET", "/images/get", save_many},
    Route{"GET", "/images/{name...}/json", inspect},
    Route{"GET", "/images/{name...}/history", history},
    Route{"GET", "/images/{name...}/get", save_one},
    Route{"GET", "/images/{name...}/attestations", attestations, {1, 55}},
    Route{"POST", "/images/{name...}/tag", tag},
    Route{"POST", "/images/{name...}/push", push},
    Route{"DELETE", "/images/{name...}", remove},
};

}  // namespace

std::span<const Route> image_routes() { return kRoutes; }

}  // namespace api
