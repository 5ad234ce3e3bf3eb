#pragma once
/// Netlink: messages, and a socket that sends a batch of them at once and gathers their answers.
/// `rtnetlink.h` and `nftables.h` stand on it. Sources: netlink(7), linux/netlink.h.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "sys/fd.h"

namespace sys {

using NetlinkBytes = std::span<const char>;

/// Messages one after the other, as one sendmsg(2) takes them. Each has a subject, which an error
/// names ("create veth veth1a2b"). A message is open from `begin` until the next one begins.
class NetlinkBatch {
 public:
  /// `header` is what follows nlmsghdr (ifinfomsg, nfgenmsg, …).
  template <class Header>
  void begin(std::uint16_t type, std::uint16_t flags, const Header& header, std::string subject) {
    begin_raw(type, flags, {reinterpret_cast<const char*>(&header), sizeof header}, std::move(subject));
  }
  void put(std::uint16_t type, NetlinkBytes value);
  void put_text(std::uint16_t type, std::string_view text);  ///< with its final NUL
  void put_u8(std::uint16_t type, std::uint8_t value);
  void put_u16(std::uint16_t type, std::uint16_t value);
  void put_u32(std::uint16_t type, std::uint32_t value);
  /// Bytes without an attribute around them, for nests that begin with a header.
  void put_raw(NetlinkBytes bytes);
  /// A nest lasts until `close`d with the value of `open`.
  [[nodiscard]] std::size_t open(std::uint16_t type);
  void close(std::size_t nest);

  [[nodiscard]] bool empty() const { return subjects_.empty(); }
  [[nodiscard]] std::size_t count() const { return subjects_.size(); }

 private:
  friend class NetlinkSocket;
  void begin_raw(std::uint16_t type, std::uint16_t flags, NetlinkBytes header, std::string subject);
  void pad();

  std::vector<char> bytes_;
  std::size_t message_ = 0;  ///< where the open one begins
  std::vector<std::string> subjects_;
  std::vector<std::size_t> starts_;
};

/// One attribute of an answer.
struct NetlinkAttribute {
  std::uint16_t type;  ///< without the NESTED and BYTEORDER flags
  NetlinkBytes value;

  [[nodiscard]] std::uint32_t u32() const;  ///< 0 if it is shorter
  [[nodiscard]] std::uint8_t u8() const;
  [[nodiscard]] std::string text() const;  ///< up to the first NUL
};
void for_each_attribute(NetlinkBytes bytes, base::FunctionRef<void(const NetlinkAttribute&)> each);

/// An answer's payload: what follows nlmsghdr.
using NetlinkAnswer = base::FunctionRef<void(std::uint16_t type, NetlinkBytes payload)>;

/// A socket of one network namespace: the one of the thread at the time of `open`, wherever its user
/// goes later. Not for several threads at a time; opening one costs a few microseconds.
class NetlinkSocket {
 public:
  /// `protocol`: NETLINK_ROUTE, NETLINK_NETFILTER.
  static base::Result<NetlinkSocket> open(int protocol);

  /// Sends the batch and waits until each message with NLM_F_ACK or NLM_F_DUMP is answered.
  /// `answer` gets what else comes. The kernel goes on after a message that failed; the error is the
  /// first one's, with the kernel's own explanation where it gives one.
  base::Result<> run(NetlinkBatch& batch, NetlinkAnswer answer);
  base::Result<> run(NetlinkBatch& batch);

 private:
  explicit NetlinkSocket(UniqueFd fd) : fd_{std::move(fd)} {}
  UniqueFd fd_;
  std::uint32_t sequence_ = 0;
};

}  // namespace sys
