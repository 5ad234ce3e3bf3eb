#pragma once
/// The HTTP/1.1 grammar, without I/O: heads, and bodies by length, in chunks or to the end of the
/// stream. Beast's parser does the work; parser.cc is the only file that includes Beast.
/// What Beast accepts but a proxy could read in another way is refused here (RFC 9112, 11.2).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "http/detail/input_buffer.h"
#include "http/message.h"

namespace http::detail {

/// The start line and fields of one message.
struct Head {
  int minor_version = 1;
  std::string method;  ///< of a request
  std::string target;
  int status = 0;  ///< of a response
  std::string reason;
  Headers headers;
};

class Parser {
 public:
  static Parser request(std::size_t max_head);
  /// `to_head`: the answer to a HEAD request, which has no body whatever its fields say.
  static Parser response(std::size_t max_head, bool to_head);

  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;
  ~Parser();

  /// Takes the head from `in`, or nothing while it is not complete (false).
  /// Errors: InvalidArgument; the status to refuse with is then in refusal().
  base::Result<bool> read_head(InputBuffer& in);
  [[nodiscard]] int refusal() const;  ///< 400, 431, 501, 505
  [[nodiscard]] const Head& head() const;
  [[nodiscard]] Head& head();

  /// Moves body bytes from `in` to `out`. 0 means that more input is needed, or the end if
  /// `complete()`. Errors: InvalidArgument.
  base::Result<std::size_t> read_body(InputBuffer& in, std::span<char> out);
  /// The stream ended. Errors: Unavailable if the message is not complete.
  base::Result<> end_of_input();
  [[nodiscard]] bool complete() const;
  [[nodiscard]] bool ends_with_stream() const;  ///< a response without length or chunks
  /// nullopt for chunks and for what ends with the stream.
  [[nodiscard]] std::optional<std::uint64_t> length() const;
  [[nodiscard]] bool keep_alive() const;

 private:
  class Impl;
  template <bool kRequest>
  class Typed;
  explicit Parser(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace http::detail
