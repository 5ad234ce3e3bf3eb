#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "codec/tar.h"

namespace codec {

using base::Result;

namespace {

constexpr std::size_t kBlock = 512;

/// POSIX ustar, field by field.
struct Header {
  std::array<char, 100> name{};
  std::array<char, 8> mode{};
  std::array<char, 8> uid{};
  std::array<char, 8> gid{};
  std::array<char, 12> size{};
  std::array<char, 12> mtime{};
  std::array<char, 8> checksum{};
  char type = '0';
  std::array<char, 100> link{};
  std::array<char, 6> magic{'u', 's', 't', 'a', 'r', '\0'};
  std::array<char, 2> version{'0', '0'};
  std::array<char, 32> user{};
  std::array<char, 32> group{};
  std::array<char, 8> device_major{};
  std::array<char, 8> device_minor{};
  std::array<char, 155> prefix{};
  std::array<char, 12> unused{};
};
static_assert(sizeof(Header) == kBlock);

/// Zero-filled octal with a NUL behind it; false when the field is too small.
template <std::size_t N>
bool put_octal(std::array<char, N>& field, std::uint64_t value) {
  for (std::size_t i = N - 1; i-- > 0; value >>= 3U) field[i] = static_cast<char>('0' + (value & 7U));
  return value == 0;
}

template <std::size_t N>
bool put_text(std::array<char, N>& field, std::string_view text) {
  const std::size_t count = std::min(text.size(), N);
  std::copy_n(text.begin(), count, field.begin());
  return count == text.size();
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Into `name`, or at a '/' into `prefix` and `name`.
bool put_path(Header& header, std::string_view path) {
  if (path.size() > header.name.size()) {
    // The slash itself is not stored; a directory's last one can't be the place.
    const auto slash = path.substr(0, std::min(path.size() - 1, header.prefix.size() + 1)).rfind('/');
    if (slash != std::string_view::npos && slash > 0 && path.size() - slash - 1 <= header.name.size()) {
      put_text(header.prefix, path.substr(0, slash));
      return put_text(header.name, path.substr(slash + 1));
    }
  }
  return put_text(header.name, path);
}

/// "<length> <key>=<value>\n", where the length counts itself.
void append_record(std::string& out, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (length != rest + fmt::formatted_size("{}", length))
    length = rest + fmt::formatted_size("{}", length);
  fmt::format_to(std::back_inserter(out), "{} {}={}\n", length, key, value);
}

void seal(Header& header) {
  header.checksum.fill(' ');
  std::array<unsigned char, kBlock> bytes{};
  std::memcpy(bytes.data(), &header, kBlock);
  unsigned sum = 0;
  for (const unsigned char byte : bytes) sum += byte;
  std::array<char, 7> digits{};
  put_octal(digits, sum);
  std::copy(digits.begin(), digits.end(), header.checksum.begin());
}

std::string_view bytes_of(const Header& header) { return {reinterpret_cast<const char*>(&header), kBlock}; }

char flag_of(TarType type) {
  switch (type) {
    case TarType::File: return '0';
    case TarType::HardLink: return '1';
    case TarType::Symlink: return '2';
    case TarType::CharDevice: return '3';
    case TarType::BlockDevice: return '4';
    case TarType::Directory: return '5';
    case TarType::Fifo: return '6';
  }
  return '0';
}

std::string decimal_time(const struct ::timespec& time) {
  if (time.tv_nsec == 0) return fmt::format("{}", time.tv_sec);
  // pax counts down from zero: half a second before the epoch is -0.5.
  const bool negative = time.tv_sec < 0;
  const auto seconds = negative ? -(time.tv_sec + 1) : time.tv_sec;
  const auto nanoseconds = negative ? 1'000'000'000 - time.tv_nsec : time.tv_nsec;
  std::string text = fmt::format("{}{}.{:09}", negative ? "-" : "", seconds, nanoseconds);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

/// Fills the ustar header and says in pax records what does not fit.
std::string fill(Header& header, const TarEntry& entry) {
  std::string records;
  if (!put_path(header, entry.path) || !is_ascii(entry.path)) append_record(records, "path", entry.path);
  if (!put_text(header.link, entry.link_target) || !is_ascii(entry.link_target)) {
    append_record(records, "linkpath", entry.link_target);
  }
  put_octal(header.mode, entry.mode & 07777U);
  if (!put_octal(header.uid, entry.uid)) append_record(records, "uid", fmt::format("{}", entry.uid));
  if (!put_octal(header.gid, entry.gid)) append_record(records, "gid", fmt::format("{}", entry.gid));
  if (!put_octal(header.size, entry.size)) append_record(records, "size", fmt::format("{}", entry.size));
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(entry.mtime.tv_sec, 0));
  const bool fits = put_octal(header.mtime, seconds) && entry.mtime.tv_sec >= 0;
  if (!fits || entry.mtime.tv_nsec != 0) append_record(records, "mtime", decimal_time(entry.mtime));
  put_octal(header.device_major, entry.device_major);
  put_octal(header.device_minor, entry.device_minor);
  for (const auto& [name, value] : entry.xattrs) append_record(records, "SCHILY.xattr." + name, value);
  header.type = flag_of(entry.type);
  return records;
}

}  // namespace

Result<> TarWriter::put(std::string_view bytes) {
  TRY(sink_.write(bytes));
  bytes_ += bytes.size();
  return {};
}

Result<> TarWriter::pad() {
  static constexpr std::array<char, kBlock> kZeros{};
  const std::size_t rest = bytes_ % kBlock;
  return rest == 0 ? Result<>{} : put({kZeros.data(), kBlock - rest});
}

Result<> TarWriter::add(const TarEntry& entry) {
  CAISSON_INVARIANT(left_ == 0);
  TRY(pad());
  Header header;
  TarEntry sorted;
  const TarEntry* described = &entry;
  if (entry.xattrs.size() > 1) {
    sorted = entry;
    std::ranges::sort(sorted.xattrs);
    described = &sorted;
  }
  const std::string records = fill(header, *described);
  if (!records.empty()) {
    Header extended;
    extended.type = 'x';
    const auto slash = entry.path.find_last_of('/', entry.path.size() - 2);
    put_text(extended.name, "PaxHeaders/" + entry.path.substr(slash == std::string::npos ? 0 : slash + 1));
    put_octal(extended.mode, 0644);
    put_octal(extended.uid, 0);
    put_octal(extended.gid, 0);
    put_octal(extended.size, records.size());
    put_octal(extended.mtime, 0);
    put_octal(extended.device_major, 0);
    put_octal(extended.device_minor, 0);
    seal(extended);
    TRY(put(bytes_of(extended)));
    TRY(put(records));
    TRY(pad());
  }
  seal(header);
  TRY(put(bytes_of(header)));
  left_ = entry.type == TarType::File ? entry.size : 0;
  return {};
}

Result<> TarWriter::write(std::string_view bytes) {
  CAISSON_INVARIANT(bytes.size() <= left_);
  TRY(put(bytes));
  left_ -= bytes.size();
  return {};
}

Result<> TarWriter::finish() {
  CAISSON_INVARIANT(left_ == 0);
  TRY(pad());
  static constexpr std::array<char, 2 * kBlock> kEnd{};
  return put({kEnd.data(), kEnd.size()});
}

}  // namespace codec
