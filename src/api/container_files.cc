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

Result<> extract(Call& call) {
  const engine::ExtractOptions options{.no_overwrite_dir_non_dir = call.flag("noOverwriteDirNonDir"),
                                       .copy_uid_gid = call.flag("copyUIDGID")};
  TRY(files(call).extract(call.path("id"), TRY(wanted_path(call)), options, call.exchange().body()));
  return call.reply_empty(200);
}

constexpr std::array kRoutes{
    Route{"HEAD", "/containers/{id}/archive", stat},
    Route{"GET", "/containers/{id}/archive", archive},
    Route{"PUT", "/containers/{id}/archive", extract},
};

}  // namespace

std::span<const Route> file_routes() { return kRoutes; }

}  // namespace api
