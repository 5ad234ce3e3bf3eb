#include "cli/context/inflate.h"

#include <array>
#include <span>
#include <vector>

namespace cli {

using base::Result;

namespace {

constexpr unsigned kMaxBits = 15;
constexpr std::size_t kLiterals = 288;
constexpr std::size_t kDistances = 30;
constexpr unsigned kEndOfBlock = 256;

base::Error broken(std::string_view what) { return base::invalid("not deflated: " + std::string{what}); }

/// Bits from the low end of each byte. Past the end they are zeros, and `overrun` tells.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_{bytes} {}

  unsigned take(unsigned count) {
    while (have_ < count) {
      if (at_ == bytes_.size()) overrun_ = true;
      const unsigned next = at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_++]) : 0;
      hold_ |= std::uint64_t{next} << have_;
      have_ += 8;
    }
    const auto out = static_cast<unsigned>(hold_ & ((std::uint64_t{1} << count) - 1));
    hold_ >>= count;
    have_ -= count;
    return out;
  }
  void drop_to_byte() { take(have_ % 8); }
  [[nodiscard]] bool overrun() const { return overrun_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::uint64_t hold_ = 0;
  unsigned have_ = 0;
  bool overrun_ = false;
};

/// A canonical Huffman code, decoded by counting: small tables, a bit at a time.
class Code {
 public:
  /// False when the lengths ask for more codes than there are. Unused codes are allowed, and found when they come.
  bool build(std::span<const std::uint8_t> lengths) {
    counts_.fill(0);
    for (const auto length : lengths) ++counts_[length];
    counts_[0] = 0;
    int left = 1;
    for (unsigned bits = 1; bits <= kMaxBits; ++bits) {
      left = left * 2 - counts_[bits];
      if (left < 0) return false;
    }
    std::array<unsigned, kMaxBits + 2> offsets{};
    for (unsigned bits = 1; bits <= kMaxBits; ++bits) {
      offsets[bits + 1] = offsets[bits] + static_cast<unsigned>(counts_[bits]);
    }
    symbols_.assign(lengths.size(), 0);
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] != 0) symbols_[offsets[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
    }
    return true;
  }

  /// -1: no such code.
  int decode(BitReader& bits) const {
    int code = 0;
    int first = 0;
    int index = 0;
    for (unsigned length = 1; length <= kMaxBits; ++length) {
      code |= static_cast<int>(bits.take(1));
      const int count = counts_[length];
      if (code - count < first) return symbols_[static_cast<std::size_t>(index + code - first)];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return -1;
  }

 private:
  std::array<int, kMaxBits + 1> counts_{};
  std::vector<std::uint16_t> symbols_;
};

struct Codes {
  Code literals, distances;
};

Codes fixed_codes() {
  std::array<std::uint8_t, kLiterals> lengths{};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const int length = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    lengths[i] = static_cast<std::uint8_t>(length);
  }
  std::array<std::uint8_t, kDistances> distances{};
  distances.fill(5);
  Codes out;
  // Both are of the standard, and fit.
  CAISSON_INVARIANT(out.literals.build(lengths) && out.distances.build(distances));
  return out;
}

Result<Codes> read_codes(BitReader& bits) {
  constexpr std::array<std::uint8_t, 19> kOrder{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  const std::size_t literals = bits.take(5) + 257;
  const std::size_t distances = bits.take(5) + 1;
  const std::size_t count = bits.take(4) + 4;
  if (literals > 286 || distances > kDistances) return broken("too many codes");
  std::array<std::uint8_t, kOrder.size()> code_lengths{};
  for (std::size_t i = 0; i < count; ++i) code_lengths[kOrder[i]] = static_cast<std::uint8_t>(bits.take(3));
  Code code;
  if (!code.build(code_lengths)) return broken("bad code lengths");
  std::vector<std::uint8_t> lengths;
  while (lengths.size() < literals + distances) {
    const int symbol = code.decode(bits);
    if (symbol < 0 || bits.overrun()) return broken("bad code lengths");
    if (symbol < 16) {
      lengths.push_back(static_cast<std::uint8_t>(symbol));
      continue;
    }
    if (symbol == 16 && lengths.empty()) return broken("nothing to repeat");
    const std::uint8_t value = symbol == 16 ? lengths.back() : 0;
    const unsigned repeat = symbol == 16 ? 3 + bits.take(2) : symbol == 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    lengths.insert(lengths.end(), repeat, value);
  }
  if (lengths.size() > literals + distances) return broken("too many code lengths");
  Codes out;
  const std::span<const std::uint8_t> all{lengths};
  if (!out.literals.build(all.first(literals)) || !out.distances.build(all.subspan(literals))) {
    return broken("bad code lengths");
  }
  return out;
}

Result<> copy_match(BitReader& bits, const Codes& codes, unsigned symbol, std::size_t limit, std::string& out) {
  constexpr std::array<std::uint16_t, 29> kLengthBase{3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                      31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  constexpr std::array<std::uint8_t, 29> kLengthBits{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                     2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
  constexpr std::array<std::uint16_t, kDistances> kDistanceBase{
      1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
      193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
  const unsigned index = symbol - kEndOfBlock - 1;
  if (index >= kLengthBase.size()) return broken("no such length");
  const std::size_t length = kLengthBase[index] + bits.take(kLengthBits[index]);
  const int code = codes.distances.decode(bits);
  if (code < 0) return broken("no such distance");
  const auto which = static_cast<std::size_t>(code);
  const unsigned extra = which < 4 ? 0 : static_cast<unsigned>(which / 2 - 1);
  const std::size_t distance = kDistanceBase[which] + bits.take(extra);
  if (distance > out.size()) return broken("a copy of what is before the beginning");
  if (out.size() + length > limit) return base::invalid("the unpacked bytes are too many");
  // Byte by byte: the copy may overlap what it makes.
  for (std::size_t i = 0; i < length; ++i) out += out[out.size() - distance];
  return {};
}

Result<> inflate_block(BitReader& bits, const Codes& codes, std::size_t limit, std::string& out) {
  while (true) {
    const int symbol = codes.literals.decode(bits);
    if (symbol < 0 || bits.overrun()) return broken("it ends early");
    const auto value = static_cast<unsigned>(symbol);
    if (value == kEndOfBlock) return {};
    if (value > kEndOfBlock) {
      TRY(copy_match(bits, codes, value, limit, out));
    } else {
      if (out.size() == limit) return base::invalid("the unpacked bytes are too many");
      out += static_cast<char>(value);
    }
  }
}

Result<> stored_block(BitReader& bits, std::size_t limit, std::string& out) {
  bits.drop_to_byte();
  const unsigned length = bits.take(16);
  if ((bits.take(16) ^ length) != 0xffff) return broken("a stored block without its length");
  if (out.size() + length > limit) return base::invalid("the unpacked bytes are too many");
  for (unsigned i = 0; i < length && !bits.overrun(); ++i) out += static_cast<char>(bits.take(8));
  return {};
}

}  // namespace

Result<std::string> inflate(std::string_view packed, std::size_t limit) {
  BitReader bits{packed};
  std::string out;
  for (bool last = false; !last;) {
    last = bits.take(1) == 1;
    const unsigned kind = bits.take(2);
    if (kind == 0) {
      TRY(stored_block(bits, limit, out));
    } else if (kind == 1) {
      TRY(inflate_block(bits, fixed_codes(), limit, out));
    } else if (kind == 2) {
      TRY(inflate_block(bits, TRY(read_codes(bits)), limit, out));
    } else {
      return broken("no such kind of block");
    }
    if (bits.overrun()) return broken("it ends early");
  }
  return out;
}

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t out = ~std::uint32_t{0};
  for (const char c : bytes) {
    out ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) out = (out >> 1U) ^ ((out & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~out;
}

}  // namespace cli
