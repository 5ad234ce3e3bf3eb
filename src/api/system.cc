#include <algorithm>
#include <array>

#include "api/router.h"
#include "base/strings.h"

namespace api {

using base::Result;

namespace {

Result<> ping(Call& call) {
  const http::Headers headers{{"Builder-Version", "1"},
                              {"Cache-Control", "no-cache, no-store, must-revalidate"},
                              {"Pragma", "no-cache"},
                              {"Swarm", "inactive"},
                              {"Content-Type", "text/plain; charset=utf-8"}};
  // Go's server says Content-Length: 0 to HEAD, and clients take it for what there is.
  return call.exchange().respond(200, headers, call.exchange().request().method == "HEAD" ? "" : "OK");
}

Result<> version(Call& call) { return call.reply(200, call.services().system.version()); }

Result<> info(Call& call) { return call.reply(200, Shape::Info, TRY(call.services().system.info())); }

Result<> events(Call& call) {
  const auto since = TRY(call.time("since"));
  const auto until = TRY(call.time("until"));
  const auto filters = TRY(call.filters());
  const auto stream = TRY(call.services().events.subscribe(since, until, filters));
  TRY(call.exchange().begin(200, {{"Content-Type", "application/json"}}));
  spec::api::Event event;
  while (stream->next(event, call.exchange().stop_token())) {
    auto json = codec::to_json(event);
    adapt(json, Shape::Event, call.version());
    TRY(call.exchange().write(json.dump() + "\n"));
  }
  return call.exchange().finish();
}

/// Our own: "repair", "quick", and "grace", the seconds that something unneeded may be somebody's work.
Result<> fsck(Call& call) {
  engine::FsckOptions options{.repair = call.flag("repair"), .quick = call.flag("quick")};
  if (const auto text = call.text("grace"); !text.empty()) {
    const auto seconds = base::parse_uint(text);
    if (!seconds) return base::invalid("invalid grace " + base::quoted(text) + ": want a number of seconds");
    options.grace = std::chrono::seconds{*seconds};
  }
  return call.reply(200, TRY(call.services().images.check(options)));
}

constexpr std::array kRoutes{
    Route{"GET", "/_ping", ping},
    Route{"HEAD", "/_ping", ping},
    Route{"GET", "/version", version},
    Route{"GET", "/info", info},
    Route{"GET", "/events", events},
    Route{"POST", "/system/fsck", fsck},
};

}  // namespace

std::span<const Route> system_routes() { return kRoutes; }

}  // namespace api
