#include "http/exchange.h"

namespace http {

base::Result<Upgraded> Exchange::hijack_stream(std::string_view content_type) {
  Headers headers{{"Content-Type", std::string{content_type}}};
  if (!request().wants_upgrade()) return hijack(200, "OK", headers);
  headers.add("Connection", "Upgrade");
  headers.add("Upgrade", "tcp");
  return hijack(101, "UPGRADED", headers);
}

}  // namespace http
