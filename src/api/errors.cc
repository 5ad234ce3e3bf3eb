#include "api/errors.h"

#include "codec/describe.h"
#include "spec/engine/system.h"

namespace api {

int status_of(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::NotFound: return 404;
    case base::ErrorKind::InvalidArgument: return 400;
    case base::ErrorKind::Conflict: return 409;
    case base::ErrorKind::Unauthorized: return 401;
    case base::ErrorKind::PermissionDenied: return 403;
    case base::ErrorKind::Unavailable: return 503;
    case base::ErrorKind::NotModified: return 304;
    case base::ErrorKind::NotImplemented: return 501;
    case base::ErrorKind::Internal: return 500;
  }
  return 500;
}

base::Result<> reply_error(http::Exchange& exchange, const base::Error& error) {
  const int status = status_of(error.kind());
  if (status == 304) return exchange.respond(status, {}, "");
  const auto body = codec::to_json(spec::api::ErrorResponse{error.message()}).dump() + "\n";
  return exchange.respond(status, {{"Content-Type", "application/json"}}, body);
}

}  // namespace api
