#include "forward/detail/gelf_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <zlib.h>

#include "base/id.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "logs/json_text.h"

namespace forward::detail {
namespace {

using base::Result;

constexpr std::size_t kDatagram = 1420;
constexpr std::size_t kChunkHead = 12;
constexpr std::size_t kMostChunks = 128;
constexpr int kError = 3;
constexpr int kInformation = 6;

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  logs::append_json_text(out, name);
  out += "\":\"";
  logs::append_json_text(out, value);
  out += '"';
}

}  // namespace

std::string gelf_constant(const std::string& host, const logs::Config& config) {
  std::string out;
  append_member(out, "host", host);
  append_member(out, "_command", config.origin.command);
  append_member(out, "_container_id", config.origin.id);
  append_member(out, "_container_name", config.origin.name);
  append_member(out, "_created", config.origin.created);
  append_member(out, "_image_id", config.origin.image_id);
  append_member(out, "_image_name", config.origin.image);
  append_member(out, "_tag", config.origin.tag);
  for (const auto& [name, value] : config.attributes) append_member(out, name.starts_with('_') ? name : "_" + name, value);
  return out;
}

std::string gelf_text(const std::string& constant, const Message& message) {
  std::string out = R"({"version":"1.1")";
  out += constant;
  append_member(out, "short_message", message.line);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(message.time.time_since_epoch()).count();
  out += fmt::format(",\"timestamp\":{}.{:03},\"level\":{}", milliseconds / 1000, milliseconds % 1000,
                     message.stream == logs::Stream::Stdout ? kInformation : kError);
  return out + "}";
}

Result<std::string> gelf_compress(std::string_view text, logs::GelfOptions::Compression kind, int level) {
  if (kind == logs::GelfOptions::Compression::None) return std::string{text};
  constexpr int largest_window = 15;
  constexpr int gzip = 16;
  z_stream stream{};
  const int window = largest_window + (kind == logs::GelfOptions::Compression::Gzip ? gzip : 0);
  if (deflateInit2(&stream, level, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return base::internal("zlib can't start");
  }
  const base::ScopeGuard end{[&] { deflateEnd(&stream); }};
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT: zlib's API, read only
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());  // NOLINT
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return base::internal("zlib did not finish");
  out.resize(out.size() - stream.avail_out);
  return out;
}

Result<std::vector<std::string>> gelf_chunks(std::string_view datagram) {
  if (datagram.size() <= kDatagram) return std::vector{std::string{datagram}};
  constexpr std::size_t room = kDatagram - kChunkHead;
  const std::size_t count = (datagram.size() + room - 1) / room;
  if (count > kMostChunks) {
    return base::invalid(fmt::format("a message of {} bytes needs {} chunks; GELF has at most {}", datagram.size(), count, kMostChunks));
  }
  const std::string id = base::random_hex(8);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    std::string chunk = "\x1e\x0f" + id;
    chunk += static_cast<char>(i);
    chunk += static_cast<char>(count);
    out.push_back(chunk.append(datagram.substr(i * room, room)));
  }
  return out;
}

}  // namespace forward::detail
