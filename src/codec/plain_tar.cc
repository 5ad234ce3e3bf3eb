#include "codec/plain_tar.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/strings.h"

namespace codec {

using base::Result;

namespace {

/// Of an extended header: longer names than any kernel takes, and then some.
constexpr std::uint64_t kLongestExtension = std::uint64_t{1} << 20U;
constexpr std::size_t kBlock = 512;
constexpr std::size_t kChecksumAt = 148;
constexpr std::size_t kChecksumSize = 8;

std::string_view field(std::string_view header, std::size_t at, std::size_t size) {
  const auto text = header.substr(at, size);
  return text.substr(0, text.find('\0'));
}

/// Octal, or GNU's binary form for what octal has no room for.
Result<std::uint64_t> number(std::string_view header, std::size_t at, std::size_t size, std::string_view what) {
  const auto bytes = header.substr(at, size);
  if ((static_cast<unsigned char>(bytes.front()) & 0x80U) != 0) {
    std::uint64_t value = static_cast<unsigned char>(bytes.front()) & 0x3fU;
    if ((static_cast<unsigned char>(bytes.front()) & 0x40U) != 0) {
      return base::invalid(fmt::format("tar: {} is negative", what));
    }
    for (const char byte : bytes.substr(1)) {
      if (value >> 55U != 0) return base::invalid(fmt::format("tar: {} is out of range", what));
      value = value << 8U | static_cast<unsigned char>(byte);
    }
    return value;
  }
  const auto digits = base::trim(bytes.substr(0, bytes.find('\0')));
  if (digits.empty()) return std::uint64_t{0};
  const auto value = base::parse_octal(digits);
  if (!value) return base::invalid(fmt::format("tar: {} is no number", what));
  return *value;
}

Result<std::uint32_t> id(std::uint64_t value, std::string_view what) {
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    return base::invalid(fmt::format("tar: {} {} is out of range", what, value));
  }
  return static_cast<std::uint32_t>(value);
}

bool has_right_checksum(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= kChecksumAt && i < kChecksumAt + kChecksumSize;
    sum += own ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(header[i]);
  }
  const auto said = number(header, kChecksumAt, kChecksumSize, "checksum");
  return said && *said == sum;
}

/// "1700000000.25"; nanoseconds below the second are dropped.
std::optional<struct ::timespec> pax_time(std::string_view text) {
  const auto dot = text.find('.');
  const auto seconds = base::parse_int(text.substr(0, dot));
  if (!seconds) return std::nullopt;
  struct ::timespec time{.tv_sec = *seconds, .tv_nsec = 0};
  if (dot == std::string_view::npos) return time;
  long scale = 100'000'000;
  for (const char digit : text.substr(dot + 1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    time.tv_nsec += (digit - '0') * scale;
    scale /= 10;
  }
  if (text.front() == '-' && time.tv_nsec != 0) {  // -1.5 is 0.5 after -2
    time.tv_sec -= 1;
    time.tv_nsec = 1'000'000'000 - time.tv_nsec;
  }
  return time;
}

bool is_zero(std::string_view block) { return block.find_first_not_of('\0') == std::string_view::npos; }

}  // namespace

Result<bool> PlainTarReader::read_block(Block& block) {
  std::size_t have = 0;
  while (have < block.size()) {
    const std::size_t count = TRY(source_.read({block.data() + have, block.size() - have}));
    if (count == 0 && have == 0) return false;
    if (count == 0) return base::invalid("tar: unexpected end");
    have += count;
  }
  return true;
}

Result<bool> PlainTarReader::next_block(TarBlock& block) {
  if (left_ == 0) return false;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer_.size()));
  const std::size_t count = TRY(source_.read({buffer_.data(), wanted}));
  if (count == 0) return base::invalid("tar: unexpected end");
  block.offset = position_;
  block.bytes = {buffer_.data(), count};
  position_ += count;
  left_ -= count;
  return true;
}

Result<> PlainTarReader::skip_rest() {
  left_ += padding_;
  padding_ = 0;
  TarBlock block;
  while (true) {
    const bool more = TRY(next_block(block));
    if (!more) return {};
  }
}

Result<std::string> PlainTarReader::read_text(std::uint64_t size) {
  if (size > kLongestExtension) return base::invalid(fmt::format("tar: an extended header of {} bytes", size));
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  std::string text;
  TarBlock block;
  while (true) {
    const bool more = TRY(next_block(block));
    if (!more) break;
    text += block.bytes;
  }
  TRY(skip_rest());
  return text;
}

/// Records "<length> <key>=<value>\n", where the length counts all of the record.
Result<> PlainTarReader::read_pax(std::string_view records, Extension& extension) const {
  while (!records.empty()) {
    const auto blank = records.find(' ');
    const auto length = blank == std::string_view::npos ? std::nullopt : base::parse_uint(records.substr(0, blank));
    if (!length || *length <= blank + 1 || *length > records.size() || records[*length - 1] != '\n') {
      return base::invalid("tar: a malformed pax record");
    }
    const auto record = records.substr(blank + 1, *length - blank - 2);
    records.remove_prefix(*length);
    const auto pair = base::cut(record, "=");
    if (!pair) return base::invalid("tar: a malformed pax record");
    const auto [key, value] = *pair;
    constexpr std::string_view kXattr = "SCHILY.xattr.";
    if (key == "path") {
      extension.path = value;
    } else if (key == "linkpath") {
      extension.link = value;
    } else if (key == "size") {
      extension.size = base::parse_uint(value);
      if (!extension.size) return base::invalid("tar: a malformed size");
    } else if (key == "uid" || key == "gid") {
      const auto number = base::parse_uint(value);
      if (!number) return base::invalid(fmt::format("tar: a malformed {}", key));
      (key == "uid" ? extension.uid : extension.gid) = TRY(id(*number, key));
    } else if (key == "mtime") {
      extension.mtime = pax_time(value);
    } else if (key.starts_with(kXattr)) {
      extension.xattrs.emplace_back(key.substr(kXattr.size()), value);
    } else if (key.starts_with("GNU.sparse.")) {
      return base::not_implemented("tar: sparse files are not supported here");
    }
  }
  return {};
}

Result<> PlainTarReader::describe(const Block& block, const Extension& extension, TarEntry& entry) {
  const std::string_view header{block.data(), block.size()};
  const bool posix = header.substr(257, 6) == std::string_view{"ustar\0", 6};
  entry.path = field(header, 0, 100);
  if (const auto prefix = field(header, 345, 155); posix && !prefix.empty()) {
    entry.path = fmt::format("{}/{}", prefix, entry.path);
  }
  entry.link_target = field(header, 157, 100);
  if (extension.path) entry.path = *extension.path;
  if (extension.link) entry.link_target = *extension.link;
  const char type = header[156];
  switch (type) {
    case '\0':
    case '0':
    case '7': entry.type = entry.path.ends_with('/') ? TarType::Directory : TarType::File; break;
    case '1': entry.type = TarType::HardLink; break;
    case '2': entry.type = TarType::Symlink; break;
    case '3': entry.type = TarType::CharDevice; break;
    case '4': entry.type = TarType::BlockDevice; break;
    case '5': entry.type = TarType::Directory; break;
    case '6': entry.type = TarType::Fifo; break;
    case 'S': return base::not_implemented("tar: sparse files are not supported here");
    default: return base::invalid(fmt::format("tar: {}: unknown type {}", base::quoted(entry.path), int{type}));
  }
  if (entry.type != TarType::HardLink && entry.type != TarType::Symlink) entry.link_target.clear();
  entry.mode = static_cast<std::uint32_t>(TRY(number(header, 100, 8, "mode")) & 07777U);
  const auto uid = extension.uid ? *extension.uid : TRY(number(header, 108, 8, "uid"));
  const auto gid = extension.gid ? *extension.gid : TRY(number(header, 116, 8, "gid"));
  entry.uid = TRY(id(uid, "uid"));
  entry.gid = TRY(id(gid, "gid"));
  const auto size = extension.size ? *extension.size : TRY(number(header, 124, 12, "size"));
  const bool device = entry.type == TarType::CharDevice || entry.type == TarType::BlockDevice;
  entry.device_major = device ? TRY(id(TRY(number(header, 329, 8, "device")), "device")) : 0;
  entry.device_minor = device ? TRY(id(TRY(number(header, 337, 8, "device")), "device")) : 0;
  entry.mtime = {};
  entry.mtime.tv_sec = static_cast<std::time_t>(TRY(number(header, 136, 12, "mtime")));
  if (extension.mtime) entry.mtime = *extension.mtime;
  entry.xattrs = extension.xattrs;
  std::ranges::sort(entry.xattrs);
  entry.size = entry.type == TarType::File ? size : 0;
  // pax writes the size of a hard link's target with its content left out; v7 directories have none.
  position_ = 0;
  left_ = entry.size;
  padding_ = (kBlock - entry.size % kBlock) % kBlock;
  return {};
}

Result<bool> PlainTarReader::next(TarEntry& entry) {
  if (ended_) return false;
  TRY(skip_rest());
  Extension extension;
  Block block;
  while (true) {
    const bool more = TRY(read_block(block));
    const std::string_view header{block.data(), block.size()};
    // Two blocks of zeros end an archive; some writers stop after one, or at none.
    if (!more || is_zero(header)) {
      ended_ = true;
      return false;
    }
    if (!has_right_checksum(header)) return base::invalid("tar: a header's checksum is wrong");
    const char type = header[156];
    if (type == 'x' || type == 'g') {
      const std::string records = TRY(read_text(TRY(number(header, 124, 12, "size"))));
      // Global records of the known writers hold comments only.
      if (type == 'x') TRY(read_pax(records, extension));
    } else if (type == 'L' || type == 'K') {
      std::string text = TRY(read_text(TRY(number(header, 124, 12, "size"))));
      text.resize(std::min(text.size(), text.find('\0')));
      (type == 'L' ? extension.path : extension.link) = std::move(text);
    } else {
      TRY(describe(block, extension, entry));
      return true;
    }
  }
}

}  // namespace codec
