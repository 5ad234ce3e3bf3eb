#include <array>

#include "api/router.h"

namespace api {

using base::Result;

namespace {

engine::Containers& containers(Call& call) { return call.services().containers; }

Result<> list(Call& call) {
  engine::ListOptions options;
  options.all = call.flag("all");
  options.limit = static_cast<int>(TRY(call.integer("limit")).value_or(0));
  options.size = call.flag("size");
  options.filters = TRY(call.filters());
  return call.reply(200, Shape::ContainerSummary, TRY(containers(call).list(options)));
}

/// Before 1.44 a read-only mount said nothing of what is mounted below it.
void keep_submounts_writable(spec::api::HostConfig& host) {
  if (!host.mounts) return;
  for (spec::api::Mount& mount : *host.mounts) {
    if (mount.type != "bind" || !mount.read_only) continue;
    if (!mount.bind_options) mount.bind_options.emplace();
    if (!mount.bind_options->non_recursive) mount.bind_options->read_only_non_recursive = true;
  }
}

Result<> create(Call& call) {
  engine::CreateOptions options;
  options.name = call.text("name");
  options.platform = call.text("platform");
  const auto json = TRY(call.json_body());
  if (!json.is_object() || json.as_object().empty()) {
    return base::invalid("config cannot be empty in order to create a container");
  }
  options.request = TRY(codec::from_json<spec::api::CreateContainerRequest>(json));
  if (call.version() < Version{1, 44}) keep_submounts_writable(options.request.host_config);
  return call.reply(201, TRY(containers(call).create(options)));
}

Result<> inspect(Call& call) {
  return call.reply(200, Shape::Container, TRY(containers(call).inspect(call.path("id"), call.flag("size"))));
}

Result<> start(Call& call) {
  TRY(containers(call).start(call.path("id"), call.text("detachKeys")));
  return call.reply_empty(204);
}

Result<engine::StopOptions> stop_options(Call& call) {
  engine::StopOptions options;
  options.signal = call.text("signal");
  if (const auto seconds = TRY(call.integer("t"))) options.timeout = std::chrono::seconds{*seconds};
  return options;
}

Result<> stop(Call& call) {
  TRY(containers(call).stop(call.path("id"), TRY(stop_options(call))));
  return call.reply_empty(204);
}

Result<> restart(Call& call) {
  TRY(containers(call).restart(call.path("id"), TRY(stop_options(call))));
  return call.reply_empty(204);
}

Result<> kill(Call& call) {
  TRY(containers(call).kill(call.path("id"), call.text("signal")));
  return call.reply_empty(204);
}

Result<> pause(Call& call) {
  TRY(containers(call).pause(call.path("id")));
  return call.reply_empty(204);
}

Result<> unpause(Call& call) {
  TRY(containers(call).unpause(call.path("id")));
  return call.reply_empty(204);
}

Result<> rename(Call& call) {
  TRY(containers(call).rename(call.path("id"), call.text("name")));
  return call.reply_empty(204);
}

Result<> update(Call& call) {
  const auto request = TRY(call.body<spec::api::UpdateRequest>());
  const auto warnings = TRY(containers(call).update(call.path("id"), request));
  codec::Json list{codec::Json::Array{}};
  for (const auto& warning : warnings) list.push(warning);
  return call.reply(200, codec::Json::object({{"Warnings", list}}));
}

Result<> remove(Call& call) {
  engine::RemoveOptions options;
  options.force = call.flag("force");
  options.volumes = call.flag("v");
  options.link = call.flag("link");
  TRY(containers(call).remove(call.path("id"), options));
  return call.reply_empty(204);
}

/// `docker rm --link web/store` names a link by its path.
Result<> remove_link(Call& call) {
  if (!call.flag("link")) return base::not_found("page not found");
  TRY(containers(call).remove(call.path("parent") + "/" + call.path("alias"), {.link = true}));
  return call.reply_empty(204);
}

Result<> resize(Call& call) {
  const auto size = TRY(call.terminal_size());
  TRY(containers(call).resize(call.path("id"), size.rows, size.columns));
  return call.reply_empty(200);
}

Result<> top(Call& call) {
  return call.reply(200, TRY(containers(call).top(call.path("id"), call.text("ps_args"))));
}

Result<> prune(Call& call) {
  const auto report = TRY(containers(call).prune(TRY(call.filters())));
  codec::Json ids{codec::Json::Array{}};
  for (const auto& id : report.ids) ids.push(id);
  return call.reply(200, codec::Json::object({{"ContainersDeleted", ids}, {"SpaceReclaimed", report.bytes}}));
}

constexpr std::array kRoutes{
    Route{"GET", "/containers/json", list},
    Route{"POST", "/containers/create", create},
    Route{"POST", "/containers/prune", prune},
    Route{"GET", "/containers/{id}/json", inspect},
    Route{"POST", "/containers/{id}/start", start},
    Route{"POST", "/containers/{id}/stop", stop},
    Route{"POST", "/containers/{id}/restart", restart},
    Route{"POST", "/containers/{id}/kill", kill},
    Route{"POST", "/containers/{id}/pause", pause},
    Route{"POST", "/containers/{id}/unpause", unpause},
    Route{"POST", "/containers/{id}/rename", rename},
    Route{"POST", "/containers/{id}/resize", resize},
    Route{"GET", "/containers/{id}/top", top},
    Route{"POST", "/containers/{id}/update", update},
    Route{"DELETE", "/containers/{id}", remove},
    Route{"DELETE", "/containers/{parent}/{alias}", remove_link},
};

}  // namespace

std::span<const Route> container_routes() { return kRoutes; }

}  // namespace api
