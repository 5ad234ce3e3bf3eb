#pragma once
/// Errors are values (docs/adr/001-errors.md).
///
/// An Error says what failed, on what, why and what to do. Its kind is what a program decides on
/// (`api` maps it to an HTTP status, `cli` to an exit code), its message is what a person reads.

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

/// Why an operation failed, as far as a caller can act on it. Closed: `api` has one status each.
enum class ErrorKind : std::uint8_t {
  NotFound,
  InvalidArgument,
  Conflict,
  Unauthorized,
  PermissionDenied,
  Unavailable,     ///< a peer can't be reached, or something is not there for now
  NotModified,     ///< the wanted state is the present one
  NotImplemented,  ///< this kernel or this build can't
  Internal,
};

/// "not found", "invalid argument", …: for logs.
[[nodiscard]] std::string_view name_of(ErrorKind kind);

class [[nodiscard]] Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_{kind}, message_{std::move(message)} {}
  /// `errno_value` as the failed call left it, 0 when no call was involved.
  Error(ErrorKind kind, int errno_value, std::string message)
      : kind_{kind}, errno_{errno_value}, message_{std::move(message)} {}

  /// "<what>: <strerror>" with the kind that the errno stands for. Take `errno` before you build
  /// `what`: building a string may change it.
  static Error from_errno(int errno_value, std::string_view what);

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] int errno_value() const { return errno_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] bool is(ErrorKind kind) const { return kind_ == kind; }

  /// Puts the caller's intent in front: "<intent>: <message>". Once per layer.
  Error&& context(std::string_view intent) &&;
  /// The same error as another kind, for a caller that knows better what it means.
  Error&& as(ErrorKind kind) &&;
  /// Adds what went wrong while cleaning up; the cause stays the cause.
  Error&& and_also(const Error& cleanup) &&;

 private:
  ErrorKind kind_;
  int errno_ = 0;
  std::string message_;
};

/// ENOENT → NotFound, EACCES and EPERM → PermissionDenied, EEXIST → Conflict, …; else Internal.
[[nodiscard]] ErrorKind kind_of_errno(int errno_value);

/// strerror(3) without its thread-safety problem: "No such file or directory".
[[nodiscard]] std::string errno_text(int errno_value);

Error not_found(std::string message);
Error invalid(std::string message);
Error conflict(std::string message);
Error unavailable(std::string message);
Error not_implemented(std::string message);
Error internal(std::string message);

/// A broken invariant: says where and aborts, in release builds too.
[[noreturn]] void broken(std::string_view what, const char* file, int line);
#define CAISSON_INVARIANT(condition)                               \
  do {                                                             \
    if (!(condition)) ::base::broken(#condition, __FILE__, __LINE__); \
  } while (false)

}  // namespace base
