#pragma once
/// An exchange whose answers all carry the headers that docker's clients look at, whatever the handler says and also when
/// it fails: Api-Version, Ostype, Server, Docker-Experimental. It knows the status, too.

#include "api/forwarding_exchange.h"

namespace api {

class Answer final : public ForwardingExchange {
 public:
  using ForwardingExchange::ForwardingExchange;

  base::Result<> respond(int status, const http::Headers& headers, std::string_view body) override;
  base::Result<> begin(int status, const http::Headers& headers) override;
  base::Result<http::Upgraded> hijack(int status, std::string_view reason, const http::Headers& headers) override;
  /// 0 before there is one.
  [[nodiscard]] int status() const { return status_; }

 private:
  int status_ = 0;
};

}  // namespace api
