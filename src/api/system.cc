#include <algorithm>
#include <array>

#include "api/router.h"
#include "base/version.h"

namespace api {

using base::Result;

namespace {

Result<> ping(Call& call) {
  const http::Headers headers{{"Api-Version", newest_version().str()},
                              {"Builder-Version", "1"},
                              {"Cache-Control", "no-cache, no-store, must-revalidate"},
                              {"Docker-Experimental", "false"},
                              {"Ostype", "linux"},
                              {"Pragma", "no-cache"},
                              {"Server", "Caisson/" + std::string{base::kVersion} + " (linux)"},
                              {"Swarm", "inactive"},
                              {"Content-Type", "text/plain; charset=utf-8"}};
  return call.exchange().respond(200, headers, "OK");
}

Result<> version(Call& call) { return call.reply(200, call.services().system.version()); }

Result<> info(Call& call) { return call.reply(200, TRY(call.services().system.info())); }

Result<> events(Call& call) {
  const auto since = TRY(call.time("since"));
  const auto until = TRY(call.time("until"));
  const auto filters = TRY(call.filters());
  const auto stream = TRY(call.services().events.subscribe(since, until, filters));
  TRY(call.exchange().begin(200, {{"Content-Type", "application/json"}}));
  spec::api::Event event;
  while (stream->next(event, call.exchange().stop_token())) {
    TRY(call.exchange().write(codec::to_json(event).dump() + "\n"));
  }
  return call.exchange().finish();
}

/// What one `type` of the query asks for; all without any.
Result<> disk_usage(Call& call) {
  constexpr std::array<std::string_view, 4> kTypes{"container", "image", "volume", "build-cache"};
  const auto types = call.exchange().request().query.all("type");
  for (const auto& type : types) {
    if (std::ranges::find(kTypes, type) == kTypes.end()) return base::invalid("unknown object type: " + type);
  }
  const auto wanted = [&](std::string_view type) {
    return types.empty() || std::ranges::find(types, type) != types.end();
  };
  codec::Json answer = codec::Json::object({{"LayersSize", 0}, {"Images", codec::Json{}}, {"Containers", codec::Json{}},
                                            {"Volumes", codec::Json{}}, {"BuildCache", codec::Json{}}});
  if (call.version() < Version{1, 44}) answer.set("BuilderSize", 0);
  if (wanted("image")) {
    const auto usage = TRY(call.services().images.disk_usage());
    auto images = codec::to_json(usage.images);
    for (auto& image : images.items()) adapt_image(image, call.version());
    answer.set("LayersSize", usage.layers);
    answer.set("Images", std::move(images));
  }
  if (wanted("container")) {
    answer.set("Containers", codec::to_json(TRY(call.services().containers.list({.all = true, .size = true}))));
  }
  if (wanted("volume")) {
    codec::Json volumes{codec::Json::Array{}};
    for (auto& volume : TRY(call.services().volumes.disk_usage())) volumes.push(std::move(volume));
    answer.set("Volumes", std::move(volumes));
  }
  if (wanted("build-cache")) answer.set("BuildCache", codec::Json{codec::Json::Array{}});
  return call.reply(200, answer);
}

constexpr std::array kRoutes{
    Route{"GET", "/_ping", ping},
    Route{"HEAD", "/_ping", ping},
    Route{"GET", "/version", version},
    Route{"GET", "/info", info},
    Route{"GET", "/events", events},
    Route{"GET", "/system/df", disk_usage},
};

}  // namespace

std::span<const Route> system_routes() { return kRoutes; }

}  // namespace api
