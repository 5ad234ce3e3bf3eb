#include "http/detail/parser.h"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <cstring>

#include "base/strings.h"

namespace http::detail {

using base::Result;
namespace beast = boost::beast;

class Parser::Impl {
 public:
  virtual ~Impl() = default;
  virtual std::size_t put(std::string_view bytes, beast::error_code& error) = 0;
  virtual void put_eof(beast::error_code& error) = 0;
  [[nodiscard]] virtual bool head_done() const = 0;
  [[nodiscard]] virtual bool done() const = 0;
  [[nodiscard]] virtual bool need_eof() const = 0;
  [[nodiscard]] virtual bool keep_alive() const = 0;
  [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;

  Head head;
  int refusal = 400;
  std::size_t max_head = 0;
  std::size_t head_bytes = 0;  ///< taken so far
  std::span<char> out;         ///< where body bytes go during one put
  std::size_t filled = 0;      ///< of `out`
  bool ended_with_head = false;
  bool in_chunks = false;
  std::uint64_t chunk_left = 0;
};

namespace {

/// A chunk's header or the trailer after the last one.
constexpr std::size_t kMaxFraming = 64 * 1024;
/// The end of a chunked body, "0\r\n\r\n". Beast asserts that it is not asked about a part of it.
constexpr std::size_t kEndFraming = 5;

std::string text_of(beast::string_view view) { return {view.data(), view.size()}; }

base::Error malformed(const beast::error_code& error) {
  return base::invalid("malformed HTTP message: " + error.message());
}

/// The status for a head that breaks the grammar. 505 is for a version that is one.
int refusal_of(const beast::error_code& error, std::string_view input) {
  if (error == beast::http::error::header_limit) return 431;
  const std::string_view line = input.substr(0, input.find("\r\n"));
  const auto version = line.rfind(" HTTP/");
  const bool other =
      version != std::string_view::npos && line.size() == version + 9 && line[version + 7] == '.';
  return error == beast::http::error::bad_version && other ? 505 : 400;
}

}  // namespace

template <bool kRequest>
class Parser::Typed final : public Parser::Impl, private beast::http::basic_parser<kRequest> {
  using Base = beast::http::basic_parser<kRequest>;
  using ErrorCode = beast::error_code;

 public:
  Typed(std::size_t most, bool skip_body) {
    max_head = most;
    Base::header_limit(static_cast<std::uint32_t>(most));
    Base::body_limit(boost::none);
    Base::skip(skip_body);
  }

  std::size_t put(std::string_view bytes, ErrorCode& error) override {
    return Base::put(boost::asio::const_buffer{bytes.data(), bytes.size()}, error);
  }
  void put_eof(ErrorCode& error) override { Base::put_eof(error); }
  [[nodiscard]] bool head_done() const override { return Base::is_header_done(); }
  [[nodiscard]] bool done() const override { return Base::is_done(); }
  [[nodiscard]] bool need_eof() const override { return Base::need_eof(); }
  [[nodiscard]] bool keep_alive() const override { return Base::keep_alive(); }
  [[nodiscard]] std::optional<std::uint64_t> length() const override {
    if (ended_with_head) return 0;  // 204 and 304 have none, whatever they declare
    if (Base::chunked()) return std::nullopt;
    if (const auto length = Base::content_length()) return *length;
    if (Base::need_eof()) return std::nullopt;
    return 0;
  }

 private:
  void on_request_impl(beast::http::verb /*method*/, beast::string_view method, beast::string_view target,
                       int version, ErrorCode& /*error*/) override {
    head.method = text_of(method);
    head.target = text_of(target);
    head.minor_version = version % 10;
  }
  void on_response_impl(int status, beast::string_view reason, int version, ErrorCode& /*error*/) override {
    head.status = status;
    head.reason = text_of(reason);
    head.minor_version = version % 10;
  }
  void on_field_impl(beast::http::field /*field*/, beast::string_view name, beast::string_view value,
                     ErrorCode& /*error*/) override {
    if (!Base::is_header_done()) head.headers.add(text_of(name), text_of(value));  // no trailers
  }
  void on_header_impl(ErrorCode& /*error*/) override { in_chunks = Base::chunked(); }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, ErrorCode& /*error*/) override {}
  std::size_t on_body_impl(beast::string_view body, ErrorCode& /*error*/) override { return take(body); }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view /*extensions*/,
                            ErrorCode& /*error*/) override {
    chunk_left = size;
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, beast::string_view body,
                                 ErrorCode& /*error*/) override {
    const std::size_t count = take(body);
    chunk_left -= count;
    return count;
  }
  void on_finish_impl(ErrorCode& /*error*/) override {}

  std::size_t take(beast::string_view body) {
    const std::size_t count = std::min(body.size(), out.size() - filled);
    std::memcpy(out.data() + filled, body.data(), count);
    filled += count;
    return count;
  }
};

Parser Parser::request(std::size_t max_head) {
  return Parser{std::make_unique<Typed<true>>(max_head, false)};
}
Parser Parser::response(std::size_t max_head, bool to_head) {
  return Parser{std::make_unique<Typed<false>>(max_head, to_head)};
}

Parser::Parser(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;
Parser::~Parser() = default;

const Head& Parser::head() const { return impl_->head; }
Head& Parser::head() { return impl_->head; }
int Parser::refusal() const { return impl_->refusal; }
bool Parser::complete() const { return impl_->done(); }
bool Parser::ends_with_stream() const { return impl_->need_eof(); }
bool Parser::keep_alive() const { return impl_->keep_alive(); }
std::optional<std::uint64_t> Parser::length() const { return impl_->length(); }

Result<bool> Parser::read_head(InputBuffer& in) {
  // The start line and the fields are two steps of the parser, hence two rounds.
  while (!impl_->head_done()) {
    beast::error_code error;
    const std::size_t used = impl_->put(in.view(), error);
    in.consume(used);
    impl_->head_bytes += used;
    // Beast's own limit counts only what one call is given.
    const std::size_t waiting = impl_->head_done() ? 0 : in.view().size();
    if (impl_->head_bytes + waiting > impl_->max_head) error = beast::http::error::header_limit;
    if (error == beast::http::error::need_more) {
      if (used == 0 || in.empty()) return false;
      continue;
    }
    if (error) {
      impl_->refusal = refusal_of(error, in.view());
      return malformed(error);
    }
  }
  impl_->ended_with_head = impl_->done();
  const Head& head = impl_->head;
  std::size_t encodings = 0;
  for (const auto& [name, text] : head.headers) {
    if (!base::equal_ignoring_case(name, "Transfer-Encoding")) continue;
    ++encodings;
    if (!base::equal_ignoring_case(text, "chunked")) {
      impl_->refusal = 501;
      return base::invalid("unsupported transfer encoding: " + base::quoted(text));
    }
  }
  if (encodings > 1) return base::invalid("several Transfer-Encoding fields");
  return true;
}

Result<std::size_t> Parser::read_body(InputBuffer& in, std::span<char> out) {
  impl_->out = out;
  impl_->filled = 0;
  while (impl_->filled < out.size() && !impl_->done() && !in.empty()) {
    const bool part_of_end = in.view().size() < kEndFraming && in.view().find('0') != std::string_view::npos;
    if (impl_->in_chunks && impl_->chunk_left == 0 && part_of_end) break;
    beast::error_code error;
    const std::size_t before = impl_->filled;
    const std::size_t used = impl_->put(in.view(), error);
    in.consume(used);
    if (error && error != beast::http::error::need_more) return malformed(error);
    if (used == 0 && impl_->filled == before) {
      if (in.view().size() > kMaxFraming)
        return base::invalid("malformed HTTP message: endless chunk header");
      break;
    }
  }
  return impl_->filled;
}

Result<> Parser::end_of_input() {
  if (impl_->done()) return {};
  beast::error_code error;
  if (impl_->head_done()) {
    impl_->put_eof(error);
    if (!error) return {};
  }
  return base::unavailable("unexpected EOF");
}

}  // namespace http::detail
