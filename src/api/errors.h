#pragma once
/// The only place where an error becomes an HTTP status.

#include "base/error.h"
#include "base/result.h"
#include "http/exchange.h"

namespace api {

[[nodiscard]] int status_of(base::ErrorKind kind);

/// Answers {"message": …}; before a head was sent only. A 304 has no body.
base::Result<> reply_error(http::Exchange& exchange, const base::Error& error);

}  // namespace api
