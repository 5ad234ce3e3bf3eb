/// Archives of and for a container's files.

#include <array>

#include "api/router.h"
#include "base/strings.h"

namespace api {

using base::Result;

namespace {

engine::ContainerFiles& files(Call& call) { return call.services().files; }

Result<std::string> wanted_path(Call& call) {
  std::string path = call.text("path");
  if (path.empty()) return base::invalid("bad parameter: path cannot be empty");
  return path;
}

http::Headers headers_of(const spec::api::PathStat& stat) {
  return {{"Content-Type", "application/x-tar"},
          {"X-Docker-Container-Path-Stat", base::base64(codec::to_json(stat).dump())}};
}

Result<> stat(Call& call) {
  const auto found = TRY(files(call).stat(call.path("id"), TRY(wanted_path(call))));
  http::Headers headers = headers_of(found);
  headers.set("Content-Type", "application/json");
  return call.exchange().respond(200, headers, "");
}

Result<> archive(Call& call) {
  const auto found = TRY(files(call).archive(call.path("id"), TRY(wanted_path(call))));
  TRY(call.exchange().begin(200, headers_of(found.stat)));
  TRY(found.archive->write(call.exchange().sink()));
  return call.exchange().finish();
}

/// Not of docker's API: what `cp` with a pattern asks for.
Result<> expand(Call& call) {
  const std::string pattern = call.text("pattern");
  if (pattern.empty()) return base::invalid("bad parameter: pattern cannot be empty");
  codec::Json paths{codec::Json::Array{}};
  for (auto& path : TRY(files(call).expand(call.path("id"), pattern))) paths.push(std::move(path));
  return call.reply(200, paths);
}

Result<> extract(Call& call) {
  const engine::ExtractOptions options{.no_overwrite_dir_non_dir = call.flag("noOverwriteDirNonDir"),
                                       .copy_uid_gid = call.flag("copyUIDGID")};
  TRY(files(call).extract(call.path("id"), TRY(wanted_path(call)), options, call.exchange().body()));
  return call.reply_empty(200);
}

Result<> export_tree(Call& call) {
  const auto archive = TRY(files(call).export_tree(call.path("id")));
  TRY(call.exchange().begin(200, {{"Content-Type", "application/octet-stream"}}));
  TRY(archive->write(call.exchange().sink()));
  return call.exchange().finish();
}

Result<> changes(Call& call) { return call.reply(200, TRY(files(call).changes(call.path("id")))); }

Result<> commit(Call& call) {
  engine::CommitOptions options;
  options.repository = call.text("repo");
  options.tag = call.text("tag");
  options.comment = call.text("comment");
  options.author = call.text("author");
  options.pause = call.text("pause").empty() || call.flag("pause");
  options.changes = call.exchange().request().query.all("changes");
  const auto config = TRY(call.optional_json_body());
  if (!config.is_null()) options.config = TRY(codec::from_json<spec::api::ContainerConfig>(config));
  const std::string id = TRY(files(call).commit(call.text("container"), options));
  return call.reply(201, codec::Json::object({{"Id", id}}));
}

constexpr std::array kRoutes{
    Route{"HEAD", "/containers/{id}/archive", stat},
    Route{"GET", "/containers/{id}/archive", archive},
    Route{"GET", "/containers/{id}/archive/paths", expand},
    Route{"PUT", "/containers/{id}/archive", extract},
    Route{"GET", "/containers/{id}/export", export_tree},
    Route{"GET", "/containers/{id}/changes", changes},
    Route{"POST", "/commit", commit},
};

}  // namespace

std::span<const Route> file_routes() { return kRoutes; }

}  // namespace api
