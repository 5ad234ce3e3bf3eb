#include "cli/context/zip.h"

#include <cstdint>

#include <fmt/format.h>

#include "cli/context/inflate.h"

namespace cli {

using base::Result;

namespace {

constexpr std::string_view kLocalMagic{"PK\3\4", 4};
constexpr std::string_view kCentralMagic{"PK\1\2", 4};
constexpr std::string_view kEndMagic{"PK\5\6", 4};
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::uint32_t kStored = 0;
constexpr std::uint32_t kDeflated = 8;
constexpr std::uint32_t kEncrypted = 1;
/// Where the mode of a Unix file stands in the external attributes.
constexpr std::uint32_t kModeShift = 16;

base::Error broken(std::string_view what) { return base::invalid(fmt::format("the zip is broken: {}", what)); }

/// Little-endian; the caller checked the bounds.
std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < width; ++i) {
    out |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return out;
}

struct CentralEntry {
  std::string_view name;
  std::uint32_t flags, method, crc, packed, size, offset, mode;
};

Result<CentralEntry> central_entry(std::string_view bytes, std::size_t& at) {
  if (bytes.size() < kCentralBytes || at > bytes.size() - kCentralBytes ||
      bytes.substr(at, kCentralMagic.size()) != kCentralMagic) {
    return broken("its directory ends early");
  }
  const std::size_t name = number(bytes, at + 28, 2);
  const std::size_t rest = std::size_t{number(bytes, at + 30, 2)} + number(bytes, at + 32, 2);
  if (name + rest > bytes.size() - kCentralBytes - at) return broken("its directory ends early");
  CentralEntry out{.name = bytes.substr(at + kCentralBytes, name),
                   .flags = number(bytes, at + 8, 2),
                   .method = number(bytes, at + 10, 2),
                   .crc = number(bytes, at + 16, 4),
                   .packed = number(bytes, at + 20, 4),
                   .size = number(bytes, at + 24, 4),
                   .offset = number(bytes, at + 42, 4),
                   .mode = number(bytes, at + 38, 4) >> kModeShift};
  at += kCentralBytes + name + rest;
  return out;
}

Result<std::string> contents_of(std::string_view bytes, const CentralEntry& entry, std::size_t limit) {
  if (bytes.size() < kLocalBytes || entry.offset > bytes.size() - kLocalBytes ||
      bytes.substr(entry.offset, kLocalMagic.size()) != kLocalMagic) {
    return broken("a file is not where its directory says");
  }
  const std::size_t begin = std::size_t{entry.offset} + kLocalBytes + number(bytes, entry.offset + 26, 2) +
                            number(bytes, entry.offset + 28, 2);
  if (begin > bytes.size() || entry.packed > bytes.size() - begin) return broken("a file ends early");
  if (entry.size > limit) return base::invalid("the files in the zip are too large");
  if ((entry.flags & kEncrypted) != 0) return base::invalid("the zip is encrypted");
  const std::string_view body = bytes.substr(begin, entry.packed);
  if (entry.method != kStored && entry.method != kDeflated) {
    return base::invalid(fmt::format("the zip uses compression method {}: only deflate is known", entry.method));
  }
  std::string out{body};
  if (entry.method == kDeflated) out = TRY(inflate(body, limit));
  if (out.size() > limit) return base::invalid("the files in the zip are too large");
  if (out.size() != entry.size || crc32(out) != entry.crc) return broken("a file is not what was put in");
  return out;
}

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with(kLocalMagic) || bytes.starts_with(kEndMagic); }

Result<std::vector<std::pair<std::string, std::string>>> read_zip(std::string_view bytes, std::size_t limit) {
  // The end record is the last thing but a comment.
  const auto end = bytes.rfind(kEndMagic);
  if (end == std::string_view::npos || bytes.size() - end < kEndBytes) return broken("it has no end record");
  const std::uint32_t count = number(bytes, end + 10, 2);
  std::size_t at = number(bytes, end + 16, 4);
  std::vector<std::pair<std::string, std::string>> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    const CentralEntry entry = TRY(central_entry(bytes, at));
    constexpr std::uint32_t kKind = 0170000;
    constexpr std::uint32_t kRegular = 0100000;
    const bool has_kind = (entry.mode & kKind) != 0;
    if (entry.name.ends_with('/') || (has_kind && (entry.mode & kKind) != kRegular)) continue;
    auto contents = TRY(contents_of(bytes, entry, limit).context(entry.name));
    limit -= contents.size();
    out.emplace_back(entry.name, std::move(contents));
  }
  return out;
}

}  // namespace cli
