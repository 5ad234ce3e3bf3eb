#include "sys/netlink.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/error.h"
#include "sys/detail/retry.h"

namespace sys {
namespace {

constexpr std::size_t kAnswerBuffer = 64U << 10U;
constexpr int kReceiveBuffer = 4 << 20;  // a batch's acknowledgements all queue here before we read

template <class T>
T load(NetlinkBytes bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
  return value;
}

std::size_t aligned(std::size_t size) { return (size + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1}; }

/// The kernel's sentence behind an error (NETLINK_EXT_ACK), or "".
std::string explanation(const nlmsghdr& header, NetlinkBytes payload) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  std::size_t offset = sizeof(nlmsgerr);
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0) {
    offset += load<nlmsgerr>(payload).msg.nlmsg_len - sizeof(nlmsghdr);
  }
  if (offset > payload.size()) return {};
  std::string text;
  for_each_attribute(payload.subspan(offset), [&](const NetlinkAttribute& attribute) {
    if (attribute.type == NLMSGERR_ATTR_MSG) text = attribute.text();
  });
  return text;
}

}  // namespace

void NetlinkBatch::pad() { bytes_.resize(aligned(bytes_.size())); }

void NetlinkBatch::begin_raw(std::uint16_t type, std::uint16_t flags, NetlinkBytes header,
                             std::string subject) {
  pad();
  message_ = bytes_.size();
  starts_.push_back(message_);
  subjects_.push_back(std::move(subject));
  nlmsghdr fixed{};
  fixed.nlmsg_type = type;
  fixed.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  put_raw({reinterpret_cast<const char*>(&fixed), sizeof fixed});
  put_raw(header);
}

void NetlinkBatch::put_raw(NetlinkBytes bytes) {
  pad();
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  pad();
}

void NetlinkBatch::put(std::uint16_t type, NetlinkBytes value) {
  nlattr attribute{};
  attribute.nla_len = static_cast<std::uint16_t>(sizeof attribute + value.size());
  attribute.nla_type = type;
  put_raw({reinterpret_cast<const char*>(&attribute), sizeof attribute});
  put_raw(value);
}

void NetlinkBatch::put_text(std::uint16_t type, std::string_view text) {
  std::string bytes{text};
  bytes.push_back('\0');
  put(type, bytes);
}
void NetlinkBatch::put_u8(std::uint16_t type, std::uint8_t value) {
  put(type, {reinterpret_cast<const char*>(&value), sizeof value});
}
void NetlinkBatch::put_u16(std::uint16_t type, std::uint16_t value) {
  put(type, {reinterpret_cast<const char*>(&value), sizeof value});
}
void NetlinkBatch::put_u32(std::uint16_t type, std::uint32_t value) {
  put(type, {reinterpret_cast<const char*>(&value), sizeof value});
}

std::size_t NetlinkBatch::open(std::uint16_t type) {
  const std::size_t at = bytes_.size();
  put(static_cast<std::uint16_t>(type | NLA_F_NESTED), {});
  return at;
}

void NetlinkBatch::close(std::size_t nest) {
  auto attribute = load<nlattr>(NetlinkBytes{bytes_}.subspan(nest));
  attribute.nla_len = static_cast<std::uint16_t>(bytes_.size() - nest);
  std::memcpy(bytes_.data() + nest, &attribute, sizeof attribute);
}

std::uint32_t NetlinkAttribute::u32() const { return value.size() < 4 ? 0 : load<std::uint32_t>(value); }
std::uint8_t NetlinkAttribute::u8() const { return value.empty() ? 0 : load<std::uint8_t>(value); }
std::string NetlinkAttribute::text() const {
  return {value.begin(), std::find(value.begin(), value.end(), '\0')};
}

void for_each_attribute(NetlinkBytes bytes, base::FunctionRef<void(const NetlinkAttribute&)> each) {
  while (bytes.size() >= sizeof(nlattr)) {
    const auto header = load<nlattr>(bytes);
    if (header.nla_len < sizeof header || header.nla_len > bytes.size()) return;
    const NetlinkBytes value = bytes.subspan(sizeof header, header.nla_len - sizeof header);
    each({static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK), value});
    bytes = bytes.subspan(std::min(bytes.size(), aligned(header.nla_len)));
  }
}

base::Result<NetlinkSocket> NetlinkSocket::open(int protocol) {
  UniqueFd fd{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)};
  if (!fd) return base::Error::from_errno(errno, "socket(AF_NETLINK)");
  const int on = 1;
  // Refusals cost explanations, shorter answers or, with very long batches, ENOBUFS: none is fatal here.
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  return NetlinkSocket{std::move(fd)};
}

base::Result<> NetlinkSocket::run(NetlinkBatch& batch) {
  return run(batch, [](std::uint16_t, NetlinkBytes) {});
}

base::Result<> NetlinkSocket::run(NetlinkBatch& batch, NetlinkAnswer answer) {
  if (batch.empty()) return {};
  batch.pad();
  const std::uint32_t first = sequence_ + 1;
  std::size_t expected = 0;
  for (std::size_t i = 0; i < batch.starts_.size(); ++i) {
    const std::size_t start = batch.starts_[i];
    const std::size_t end = i + 1 < batch.starts_.size() ? batch.starts_[i + 1] : batch.bytes_.size();
    auto header = load<nlmsghdr>(NetlinkBytes{batch.bytes_}.subspan(start));
    header.nlmsg_len = static_cast<std::uint32_t>(end - start);
    header.nlmsg_seq = ++sequence_;
    std::memcpy(batch.bytes_.data() + start, &header, sizeof header);
    if ((header.nlmsg_flags & NLM_F_ACK) != 0 || (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) ++expected;
  }
  if (detail::retry([&] { return ::send(fd_.get(), batch.bytes_.data(), batch.bytes_.size(), 0); }) < 0) {
    return base::Error::from_errno(errno, batch.subjects_.front());
  }

  std::optional<std::pair<std::size_t, base::Error>> failure;
  std::vector<char> buffer(kAnswerBuffer);
  while (expected > 0) {
    const ssize_t size = detail::retry([&] { return ::recv(fd_.get(), buffer.data(), buffer.size(), 0); });
    if (size < 0) return base::Error::from_errno(errno, batch.subjects_.front());
    NetlinkBytes rest{buffer.data(), static_cast<std::size_t>(size)};
    while (rest.size() >= sizeof(nlmsghdr)) {
      const auto header = load<nlmsghdr>(rest);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size()) {
        return base::internal(batch.subjects_.front() + ": truncated netlink answer");
      }
      const NetlinkBytes payload = rest.subspan(sizeof header, header.nlmsg_len - sizeof header);
      rest = rest.subspan(std::min(rest.size(), aligned(header.nlmsg_len)));
      const std::uint32_t index = header.nlmsg_seq - first;
      if (index >= batch.count()) continue;  // an earlier run's that failed half way
      if (header.nlmsg_type == NLMSG_DONE) {
        --expected;
      } else if (header.nlmsg_type != NLMSG_ERROR) {
        answer(header.nlmsg_type, payload);
      } else {
        const int error = -load<nlmsgerr>(payload).error;
        if (error != 0 && (!failure || index < failure->first)) {
          std::string subject = batch.subjects_[index];
          if (const std::string why = explanation(header, payload); !why.empty()) subject += ": " + why;
          failure.emplace(index, base::Error::from_errno(error, subject));
        }
        // A netfilter batch that is refused as a whole is answered once, at its first message.
        const auto sent = load<nlmsghdr>(NetlinkBytes{batch.bytes_}.subspan(batch.starts_[index]));
        if (sent.nlmsg_type == NFNL_MSG_BATCH_BEGIN && error != 0) return std::move(failure->second);
        if (expected > 0) --expected;
      }
    }
  }
  if (failure) return std::move(failure->second);
  return {};
}

}  // namespace sys
