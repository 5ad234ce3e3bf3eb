#pragma once
/// An exchange that passes everything on to another one: for those that change one thing about it.

#include "http/exchange.h"

namespace api {

class ForwardingExchange : public http::Exchange {
 public:
  explicit ForwardingExchange(http::Exchange& inner) : inner_{inner} {}

  [[nodiscard]] const http::Request& request() const override { return inner_.request(); }
  [[nodiscard]] base::ByteSource& body() override { return inner_.body(); }
  [[nodiscard]] std::optional<std::uint64_t> body_length() const override { return inner_.body_length(); }
  base::Result<> respond(int status, const http::Headers& headers, std::string_view body) override {
    return inner_.respond(status, headers, body);
  }
  base::Result<> begin(int status, const http::Headers& headers) override { return inner_.begin(status, headers); }
  base::Result<> write(std::string_view bytes, http::More more) override { return inner_.write(bytes, more); }
  base::Result<> flush() override { return inner_.flush(); }
  base::Result<> finish() override { return inner_.finish(); }
  [[nodiscard]] bool begun() const override { return inner_.begun(); }
  base::Result<http::Upgraded> hijack(int status, std::string_view reason, const http::Headers& headers) override {
    return inner_.hijack(status, reason, headers);
  }
  [[nodiscard]] bool client_gone() override { return inner_.client_gone(); }
  [[nodiscard]] std::stop_token stop_token() override { return inner_.stop_token(); }

 protected:
  http::Exchange& inner_;
};

}  // namespace api
