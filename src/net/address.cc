#include "net/address.h"

#include <vector>

#include <fmt/format.h>

#include "base/strings.h"

namespace net {

base::Result<Ipv4> Ipv4::parse(std::string_view text) {
  const auto bad = [&] { return base::invalid("invalid IP address: " + std::string{text}); };
  const auto parts = base::split(text, '.');
  if (parts.size() != 4) return bad();
  std::uint32_t value = 0;
  for (const auto part : parts) {
    const auto number = base::parse_uint(part);
    if (!number || *number > 255 || part.size() > 3 || (part.size() > 1 && part[0] == '0')) return bad();
    value = value << 8U | static_cast<std::uint32_t>(*number);
  }
  return Ipv4{value};
}

std::string Ipv4::str() const {
  return fmt::format("{}.{}.{}.{}", value_ >> 24U, value_ >> 16U & 255U, value_ >> 8U & 255U, value_ & 255U);
}

base::Result<Mac> Mac::parse(std::string_view text) {
  const auto bad = [&] { return base::invalid("invalid MAC address: " + std::string{text}); };
  const auto parts = base::split(text, text.find('-') != std::string_view::npos ? '-' : ':');
  Mac mac;
  if (parts.size() != mac.bytes.size()) return bad();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto byte = parts[i].size() == 2 ? base::from_hex(parts[i]) : std::nullopt;
    if (!byte) return bad();
    mac.bytes[i] = static_cast<std::uint8_t>((*byte)[0]);
  }
  return mac;
}

Mac Mac::of(Ipv4 address) {
  const std::uint32_t value = address.value();
  return {{0x02, 0x42, static_cast<std::uint8_t>(value >> 24U), static_cast<std::uint8_t>(value >> 16U),
           static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)}};
}

std::string Mac::str() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2], bytes[3],
                     bytes[4], bytes[5]);
}

base::Result<InterfaceAddress> parse_interface_address(std::string_view text) {
  const auto parts = base::cut(text, "/");
  if (parts) {
    const auto address = Ipv4::parse(parts->first);
    const auto length = base::parse_uint(parts->second);
    if (address && length && *length <= 32) {
      return InterfaceAddress{*address, Subnet{*address, static_cast<unsigned>(*length)}};
    }
  }
  return base::invalid("invalid CIDR address: " + std::string{text});
}

base::Result<Subnet> Subnet::parse(std::string_view text) {
  const InterfaceAddress parsed = TRY(parse_interface_address(text));
  return parsed.subnet;
}

std::string Subnet::str() const { return fmt::format("{}/{}", first().str(), length_); }

}  // namespace net
