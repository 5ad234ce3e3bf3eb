/// systemd-journald, by its native protocol: datagrams of fields, large ones in a sealed memory file.
/// Source: systemd.io/JOURNAL_NATIVE_PROTOCOL, systemd.journal-fields(7); fields as docker's driver has them.
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/id.h"
#include "forward/sink.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace forward {
namespace {

using base::Result;

constexpr const char* kSocket = "/run/systemd/journal/socket";
constexpr char kError = '3';
constexpr char kInformation = '6';

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  if (value.find('\n') == std::string_view::npos) {
    out += '=';
  } else {
    out += '\n';
    std::uint64_t size = value.size();
    for (int i = 0; i < 8; ++i, size >>= 8U) out += static_cast<char>(size & 0xffU);  // little-endian
  }
  out.append(value).append("\n");
}

/// Letters, digits and underscores, in upper case, without a leading underscore: those are the journal's own.
std::string field_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool digit = c >= '0' && c <= '9';
    if (letter || (digit && !out.empty())) {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    } else if (!out.empty()) {
      out += '_';
    }
  }
  return out;
}

class Journald final : public Sink {
 public:
  explicit Journald(const logs::Config& config) {
    const logs::Origin& origin = config.origin;
    append_field(fields_, "CONTAINER_ID", origin.id.substr(0, 12));
    append_field(fields_, "CONTAINER_ID_FULL", origin.id);
    append_field(fields_, "CONTAINER_NAME", origin.name);
    append_field(fields_, "CONTAINER_TAG", origin.tag);
    append_field(fields_, "IMAGE_NAME", origin.image);
    append_field(fields_, "SYSLOG_IDENTIFIER", origin.tag);
    append_field(fields_, "CONTAINER_LOG_EPOCH", base::random_id());
    for (const auto& [name, value] : config.attributes) {
      if (const std::string field = field_name(name); !field.empty()) append_field(fields_, field, value);
    }
  }

  Result<> connect() {
    if (!socket_) socket_ = TRY(sys::connect_unix(kSocket, SOCK_DGRAM).context("journald is not enabled on this host"));
    return {};
  }

  Result<> send(std::span<const Message> messages, std::size_t& done) override {
    for (done = 0; done < messages.size(); ++done) {
      TRY(connect());
      const std::string entry = entry_of(messages[done]);
      auto sent = sys::send_message(socket_.get(), entry);
      if (!sent && (sent.error().errno_value() == EMSGSIZE || sent.error().errno_value() == ENOBUFS)) {
        const sys::UniqueFd file = TRY(sys::make_sealed_memfd("journal-entry", entry));
        sent = sys::send_message(socket_.get(), {}, {file.get()});
      }
      if (!sent) {
        socket_.reset();  // a journald that was started anew has another one
        return sent;
      }
      ++ordinal_;
    }
    return {};
  }

 private:
  [[nodiscard]] std::string entry_of(const Message& message) const {
    std::string out;
    out.reserve(fields_.size() + message.line.size() + 256);
    out += "PRIORITY=";
    out += message.stream == logs::Stream::Stdout ? kInformation : kError;
    out += '\n';
    append_field(out, "SYSLOG_TIMESTAMP", base::to_rfc3339(message.time, base::Fraction::Nine));
    append_field(out, "CONTAINER_LOG_ORDINAL", fmt::to_string(ordinal_ + 1));
    if (message.piece) {
      append_field(out, "CONTAINER_PARTIAL_ID", message.piece->id);
      append_field(out, "CONTAINER_PARTIAL_ORDINAL", fmt::to_string(message.piece->ordinal));
      append_field(out, "CONTAINER_PARTIAL_LAST", message.piece->last ? "true" : "false");
      if (!message.piece->last) append_field(out, "CONTAINER_PARTIAL_MESSAGE", "true");
    }
    out += fields_;
    append_field(out, "MESSAGE", message.line);
    return out;
  }

  std::string fields_;  ///< of every entry
  std::uint64_t ordinal_ = 0;
  sys::UniqueFd socket_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_journald(const logs::Config& config) {
  auto sink = std::make_unique<Journald>(config);
  TRY(sink->connect());
  return std::unique_ptr<Sink>{std::move(sink)};
}

}  // namespace forward
