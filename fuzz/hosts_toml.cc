/// hosts.toml is the administrator's, not a stranger's, but it must not bring the daemon down either.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "distribution/detail/hosts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto hosts = distribution::detail::parse_hosts(text, "/certs")) {
    for (const auto& host : hosts->mirrors) {
      if (distribution::detail::rewrite_path(host.rewrites, "library/app").size() > 16 * size + 64) std::abort();
      for (const auto& header : host.headers) {
        for (const char c : header) {
          if (static_cast<unsigned char>(c) < ' ') std::abort();
        }
      }
    }
  }
  return 0;
}
