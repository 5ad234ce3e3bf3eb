#pragma once
/// Addresses as values: IPv4 address, IPv4 subnet, MAC address. All functions are pure.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace net {

/// An IPv4 address, in host byte order so that it can be counted with. The default one is 0.0.0.0.
class Ipv4 {
 public:
  constexpr Ipv4() = default;
  constexpr explicit Ipv4(std::uint32_t value) : value_{value} {}
  /// Four decimal numbers without leading zeros. Errors: InvalidArgument "invalid IP address: …".
  static base::Result<Ipv4> parse(std::string_view text);

  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  [[nodiscard]] std::string str() const;
  [[nodiscard]] constexpr bool is_any() const { return value_ == 0; }
  [[nodiscard]] constexpr bool is_loopback() const { return value_ >> 24U == 127; }
  auto operator<=>(const Ipv4&) const = default;

 private:
  std::uint32_t value_ = 0;
};

/// 48 bits. The default one is all zero.
struct Mac {
  std::array<std::uint8_t, 6> bytes{};

  /// Six pairs of hex digits with ':' or '-' between. Errors: InvalidArgument.
  static base::Result<Mac> parse(std::string_view text);
  /// Docker's address for an IPv4 interface: 02:42 and the four bytes of the address.
  static Mac of(Ipv4 address);
  /// "02:42:ac:11:00:02".
  [[nodiscard]] std::string str() const;
  [[nodiscard]] bool empty() const { return bytes == std::array<std::uint8_t, 6>{}; }
  auto operator<=>(const Mac&) const = default;
};

/// A block of addresses, "172.17.0.0/16": the bits after `length` are zero. The default one is
/// 0.0.0.0/0.
class Subnet {
 public:
  constexpr Subnet() = default;
  /// Clears the host bits.
  constexpr Subnet(Ipv4 address, unsigned length) : base_{address.value() & mask(length)}, length_{length} {}
  /// Host bits are cleared, as Go's net.ParseCIDR does. Errors: InvalidArgument
  /// "invalid CIDR address: …".
  static base::Result<Subnet> parse(std::string_view text);

  [[nodiscard]] constexpr Ipv4 first() const { return Ipv4{base_}; }
  [[nodiscard]] constexpr Ipv4 last() const { return Ipv4{base_ | ~mask(length_)}; }
  [[nodiscard]] constexpr unsigned length() const { return length_; }
  [[nodiscard]] constexpr bool contains(Ipv4 address) const {
    return (address.value() & mask(length_)) == base_;
  }
  [[nodiscard]] constexpr bool contains(const Subnet& other) const {
    return other.length_ >= length_ && contains(other.first());
  }
  [[nodiscard]] constexpr bool overlaps(const Subnet& other) const {
    return contains(other) || other.contains(*this);
  }
  [[nodiscard]] std::string str() const;
  auto operator<=>(const Subnet&) const = default;

 private:
  static constexpr std::uint32_t mask(unsigned length) {
    return length == 0 ? 0 : ~std::uint32_t{0} << (32U - length);
  }
  std::uint32_t base_ = 0;
  unsigned length_ = 0;
};

/// "172.17.42.1/16": an address together with its subnet.
struct InterfaceAddress {
  Ipv4 address;
  Subnet subnet;
};
base::Result<InterfaceAddress> parse_interface_address(std::string_view text);

}  // namespace net
