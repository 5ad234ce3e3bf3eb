#include "net/network.h"

#include "base/strings.h"

namespace net {

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::Tcp: return "tcp";
    case Protocol::Udp: return "udp";
    case Protocol::Sctp: return "sctp";
  }
  return "tcp";
}

base::Result<Protocol> parse_protocol(std::string_view name) {
  for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Sctp}) {
    if (base::equal_ignoring_case(name, name_of(protocol))) return protocol;
  }
  return base::invalid("invalid proto: " + std::string{name});
}

}  // namespace net
