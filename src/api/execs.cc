#include <array>

#include "api/router.h"
#include "api/stream_type.h"

namespace api {

using base::Result;

namespace {

Result<> create(Call& call) {
  const auto config = TRY(call.body<spec::api::ExecConfig>());
  if (config.cmd.empty()) return base::invalid("no exec command specified");
  const auto id = TRY(call.services().execs.create(call.path("id"), config));
  return call.reply(201, codec::Json::object({{"Id", id}}));
}

Result<> start(Call& call) {
  auto& execs = call.services().execs;
  const auto request = TRY(call.body<spec::api::ExecStartRequest>());
  if (request.detach) {
    TRY(execs.start_detached(call.path("id")));
    return call.reply_empty(200);
  }
  const auto ticket = TRY(execs.start(call.path("id"), request, true));
  auto connection = TRY(call.exchange().hijack_stream(stream_type(call.version(), ticket->tty())));
  return ticket->connect(std::move(connection.socket), std::move(connection.prefix));
}

Result<> inspect(Call& call) { return call.reply(200, TRY(call.services().execs.inspect(call.path("id")))); }

Result<> resize(Call& call) {
  const auto size = TRY(call.terminal_size());
  TRY(call.services().execs.resize(call.path("id"), size.rows, size.columns));
  return call.reply_empty(200);
}

constexpr std::array kRoutes{
    Route{"POST", "/containers/{id}/exec", create},
    Route{"POST", "/exec/{id}/start", start},
    Route{"GET", "/exec/{id}/json", inspect},
    Route{"POST", "/exec/{id}/resize", resize},
};

}  // namespace

std::span<const Route> exec_routes() { return kRoutes; }

}  // namespace api
