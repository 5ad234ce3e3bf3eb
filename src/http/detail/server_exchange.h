#pragma once
/// The exchange that a connection hands to the handler.

#include "http/detail/parser.h"
#include "http/exchange.h"

namespace http::detail {

class Connection;

/// What becomes of the connection after an exchange.
enum class Outcome : std::uint8_t { KeepAlive, LastOne, Broken, Hijacked };

class ServerExchange final : public Exchange {
 public:
  ServerExchange(Connection& connection, Parser parser, Request request, bool keep_alive);

  [[nodiscard]] const Request& request() const override { return request_; }
  [[nodiscard]] base::ByteSource& body() override { return body_; }
  [[nodiscard]] std::optional<std::uint64_t> body_length() const override { return parser_.length(); }
  base::Result<> respond(int status, const Headers& headers, std::string_view body) override;
  base::Result<> begin(int status, const Headers& headers) override;
  base::Result<> write(std::string_view bytes, More more) override;
  base::Result<> flush() override;
  base::Result<> finish() override;
  [[nodiscard]] bool begun() const override { return state_ != State::Fresh; }
  base::Result<Upgraded> hijack(int status, std::string_view reason, const Headers& headers) override;
  [[nodiscard]] bool client_gone() override;
  [[nodiscard]] std::stop_token stop_token() override;

  /// After the handler: answers for one that did not, and skips what it left of the body.
  Outcome settle();

 private:
  enum class State : std::uint8_t { Fresh, Streaming, Finished, Broken, Hijacked };

  class Body final : public base::ByteSource {
   public:
    explicit Body(ServerExchange& exchange) : exchange_{exchange} {}
    base::Result<std::size_t> read(std::span<char> buffer) override { return exchange_.read_body(buffer); }

   private:
    ServerExchange& exchange_;
  };

  base::Result<std::size_t> read_body(std::span<char> buffer);
  base::Result<> skip_body();
  std::string make_head(int status, const Headers& headers, std::string_view framing);
  base::Result<> send(std::string_view bytes, bool more_follows = false);
  base::Result<> send_piece(std::string_view bytes);

  Connection& connection_;
  Parser parser_;
  const Request request_;
  bool keep_alive_;
  bool chunked_ = false;
  bool bodiless_ = false;         ///< what is written is dropped: HEAD, 204, 304
  bool continue_wanted_ = false;  ///< the client waits for "100 Continue"
  bool body_failed_ = false;
  bool watch_wanted_ = false;  ///< once the body is complete
  State state_ = State::Fresh;
  std::string held_back_;
  Body body_{*this};
};

}  // namespace http::detail
