#include "runtime/detail/channel.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "sys/socket.h"
#include "sys/syscall_script.h"

namespace runtime::detail {

using base::Result;

namespace {

constexpr std::uint32_t kMark = 0x4d534731;
static_assert(kMark != sys::ScriptReport::kMark);
constexpr std::size_t kLimit = std::size_t{1} << 20U;

struct Header {
  std::uint32_t mark = kMark;
  Topic topic{};
  std::int32_t error_number = 0;
  base::ErrorKind kind{};
};

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

Result<Channel::Pair> Channel::make() {
  auto pair = TRY(sys::make_socket_pair(SOCK_SEQPACKET));
  return Pair{Channel{std::move(pair.first)}, Channel{std::move(pair.second)}};
}

Result<> Channel::send(Topic topic, std::string_view text, const std::vector<int>& fds) const {
  Header header;
  header.topic = topic;
  return sys::send_message(fd(), std::string{bytes_of(header)}.append(text), fds);
}

void Channel::send_failure(const base::Error& error) const {
  Header header;
  header.topic = Topic::Failed;
  header.error_number = error.errno_value();
  header.kind = error.kind();
  base::ignore(sys::send_message(fd(), std::string{bytes_of(header)}.append(error.message())),
               "the parent is gone, and with it everybody who could be told");
}

Result<std::optional<Packet>> Channel::receive() const {
  auto received = sys::receive_message(fd(), kLimit);
  // The other side ended without reading all that we sent: that is told first, its last words after.
  if (!received && received.error().errno_value() == ECONNRESET) received = sys::receive_message(fd(), kLimit);
  auto message = TRY(std::move(received));
  if (!message) return std::optional<Packet>{};
  Packet packet;
  std::uint32_t mark = 0;
  if (message->bytes.size() >= sizeof mark) std::memcpy(&mark, message->bytes.data(), sizeof mark);
  if (mark == sys::ScriptReport::kMark && message->bytes.size() == sizeof(sys::ScriptReport)) {
    sys::ScriptReport report{};
    std::memcpy(&report, message->bytes.data(), sizeof report);
    packet.topic = Topic::ScriptReport;
    packet.step = report.step;
    packet.result = report.result;
    return std::optional{std::move(packet)};
  }
  Header header;
  if (mark != kMark || message->bytes.size() < sizeof header) return base::internal("a malformed message from init");
  std::memcpy(&header, message->bytes.data(), sizeof header);
  packet.topic = header.topic;
  packet.text = message->bytes.substr(sizeof header);
  packet.fds = std::move(message->fds);
  if (packet.topic == Topic::Failed) return base::Error{header.kind, header.error_number, std::move(packet.text)};
  return std::optional{std::move(packet)};
}

Result<Packet> Channel::expect(Topic topic) const {
  auto packet = TRY(receive());
  if (!packet) return base::internal(std::string{kEndedUnexpectedly});
  if (packet->topic != topic) {
    return base::internal(fmt::format("message {} came where {} was due", static_cast<unsigned>(packet->topic),
                                      static_cast<unsigned>(topic)));
  }
  return std::move(*packet);
}

}  // namespace runtime::detail
