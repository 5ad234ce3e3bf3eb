#include "base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace base {

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound: return "not found";
    case ErrorKind::InvalidArgument: return "invalid argument";
    case ErrorKind::Conflict: return "conflict";
    case ErrorKind::Unauthorized: return "unauthorized";
    case ErrorKind::PermissionDenied: return "permission denied";
    case ErrorKind::Unavailable: return "unavailable";
    case ErrorKind::NotModified: return "not modified";
    case ErrorKind::NotImplemented: return "not implemented";
    case ErrorKind::Internal: return "internal";
  }
  return "internal";
}

ErrorKind kind_of_errno(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ESRCH:
    case ENODEV: return ErrorKind::NotFound;
    case EACCES:
    case EPERM: return ErrorKind::PermissionDenied;
    case EEXIST:
    case ENOTEMPTY:
    case EBUSY: return ErrorKind::Conflict;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case ENOTDIR: return ErrorKind::InvalidArgument;
    case ENOSYS:
    case EOPNOTSUPP: return ErrorKind::NotImplemented;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
    case EPIPE: return ErrorKind::Unavailable;
    default: return ErrorKind::Internal;
  }
}

std::string errno_text(int errno_value) { return std::generic_category().message(errno_value); }

Error Error::from_errno(int errno_value, std::string_view what) {
  std::string message{what};
  message += ": ";
  message += errno_text(errno_value);
  return {kind_of_errno(errno_value), errno_value, std::move(message)};
}

Error&& Error::context(std::string_view intent) && {
  message_.insert(0, ": ").insert(0, intent);
  return std::move(*this);
}

Error&& Error::as(ErrorKind kind) && {
  kind_ = kind;
  return std::move(*this);
}

Error&& Error::and_also(const Error& cleanup) && {
  message_ += " (and while cleaning up: " + cleanup.message_ + ")";
  return std::move(*this);
}

Error not_found(std::string message) { return {ErrorKind::NotFound, std::move(message)}; }
Error invalid(std::string message) { return {ErrorKind::InvalidArgument, std::move(message)}; }
Error conflict(std::string message) { return {ErrorKind::Conflict, std::move(message)}; }
Error unavailable(std::string message) { return {ErrorKind::Unavailable, std::move(message)}; }
Error not_implemented(std::string message) {
  return {ErrorKind::NotImplemented, std::move(message)};
}
Error internal(std::string message) { return {ErrorKind::Internal, std::move(message)}; }

void broken(std::string_view what, const char* file, int line) {
  std::fprintf(stderr, "caisson: broken invariant at %s:%d: %.*s\n", file, line,
               static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace base
