#include "layer/recipe.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace layer {

using base::Result;

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::string_view kMagic = "caisson-recipe 1\n";
constexpr std::size_t kLengthDigits = 16;
/// Of a table: some ten million files.
constexpr std::size_t kMostTableBytes = std::size_t{1} << 30U;
/// A pax header that is larger says nothing of use here.
constexpr std::uint64_t kMostPaxBytes = std::uint64_t{1} << 20U;

void put_number(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80U));
    value >>= 7U;
  }
  out.push_back(static_cast<char>(value));
}

Result<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !text.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return base::invalid("a layer's recipe is cut off");
}

/// ustar's octal field, or GNU's base 256. nullopt for neither.
std::optional<std::uint64_t> number_of(std::string_view field) {
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field.front()) & 0x80U) != 0) {
    for (const char c : field.substr(field.size() - 8)) value = (value << 8U) | static_cast<unsigned char>(c);
    const bool small = std::ranges::all_of(field.substr(1, field.size() - 9), [](char c) { return c == '\0'; });
    return small && field.front() == '\x80' ? std::optional{value} : std::nullopt;
  }
  for (const char c : field) {
    if (c == ' ' && value == 0) continue;
    if (c == '\0' || c == ' ') break;
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

}  // namespace

/// Follows the archive's blocks, only as far as to tell files' content from everything else.
class RecipeRecorder::Parser {
 public:
  Parser() : compressor_{codec::compress(literals_, codec::Compression::Zstd)} {}

  void take(std::string_view piece) {
    while (!piece.empty() && !beyond_) {
      if (left_ > 0) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size()));
        body(piece.substr(0, count));
        piece.remove_prefix(count);
        left_ -= count;
        if (left_ == 0 && in_pax_) end_pax();
      } else {
        const std::size_t count = std::min(kBlock - header_.size(), piece.size());
        header_.append(piece.substr(0, count));
        piece.remove_prefix(count);
        if (header_.size() == kBlock) header();
      }
    }
  }
  Result<std::optional<std::string>> finish(const std::vector<Placed>& placed);

 private:
  struct Part {
    std::uint64_t literal;  ///< bytes before the file
    std::uint64_t size;
  };

  void literal(std::string_view bytes) {
    literal_bytes_ += bytes.size();
    if (!failure_) {
      if (auto written = compressor_->write(bytes); !written) failure_ = std::move(written).error();
    }
  }
  void body(std::string_view bytes) {
    if (in_file_ > 0) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(in_file_, bytes.size()));
      in_file_ -= count;
      bytes.remove_prefix(count);
    }
    if (in_pax_) pax_.append(bytes);
    literal(bytes);
  }
  void header();
  void end_pax();

  base::StringSink literals_;
  std::unique_ptr<codec::Compressor> compressor_;
  std::optional<base::Error> failure_;
  std::vector<Part> parts_;
  std::string header_, pax_;
  std::uint64_t literal_bytes_ = 0;  ///< since the last file
  std::uint64_t left_ = 0;           ///< of the present body with its padding
  std::uint64_t in_file_ = 0;        ///< of these, a file's content
  std::optional<std::uint64_t> pax_size_;
  bool in_pax_ = false, beyond_ = false;
};

void RecipeRecorder::Parser::header() {
  const std::string block = std::exchange(header_, {});
  literal(block);
  if (std::ranges::all_of(block, [](char c) { return c == '\0'; })) return;
  const char type = block[156];
  auto size = number_of(std::string_view{block}.substr(124, 12));
  const bool file = type == '0' || type == '\0' || type == '7';
  const bool describes_next = type == 'x' || type == 'g' || type == 'L' || type == 'K';
  if (!describes_next) {
    if (const auto other = std::exchange(pax_size_, std::nullopt)) size = other;
  }
  // A directory in the old form, whose size means something else; a sparse file; what libarchive guesses at.
  const bool odd = !file && !describes_next && size != 0U;
  if (!size || odd || type == 'S' || (file && block[0] == '\0' && block[345] == '\0')) {
    beyond_ = true;
    return;
  }
  left_ = (*size + kBlock - 1) / kBlock * kBlock;
  in_pax_ = type == 'x' && *size > 0;
  if (in_pax_ && *size > kMostPaxBytes) beyond_ = true;
  if (type == 'g' && *size > 0) beyond_ = true;  // may say a size for all that follow
  if (file && *size > 0) {
    in_file_ = *size;
    parts_.push_back({std::exchange(literal_bytes_, 0), *size});
  }
}

/// "30 mtime=1350244992.023960108\n" …: only the size matters here.
void RecipeRecorder::Parser::end_pax() {
  in_pax_ = false;
  const std::string records = std::exchange(pax_, {});
  std::string_view rest = records;
  while (!rest.empty() && rest.front() != '\0') {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    if (error != std::errc{} || length > rest.size() || length == 0) {
      beyond_ = true;
      return;
    }
    const std::string_view record = rest.substr(0, length);
    rest.remove_prefix(length);
    const auto pair = base::cut(record.substr(std::min<std::size_t>(static_cast<std::size_t>(end - record.data()), record.size())), "=");
    if (!pair) continue;
    const auto key = base::trim(pair->first);
    if (key == "size") pax_size_ = base::parse_uint(base::trim(pair->second));
    if (key.starts_with("GNU.sparse.")) beyond_ = true;
  }
}

Result<std::optional<std::string>> RecipeRecorder::Parser::finish(const std::vector<Placed>& placed) {
  if (failure_) return *std::move(failure_);
  const bool same = !beyond_ && left_ == 0 && header_.empty() &&
                    std::ranges::equal(parts_, placed, [](const Part& part, const Placed& file) {
                      return part.size == file.size && !file.path.empty();
                    });
  if (!same) return std::optional<std::string>{};
  std::string table;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    put_number(table, parts_[i].literal);
    put_number(table, parts_[i].size);
    put_number(table, placed[i].path.size());
    table += placed[i].path;
  }
  put_number(table, literal_bytes_);
  put_number(table, 0);
  put_number(table, 0);
  base::StringSink packed;
  const auto packer = codec::compress(packed, codec::Compression::Zstd);
  TRY(packer->write(table));
  TRY(packer->finish());
  TRY(compressor_->finish());
  return std::optional{fmt::format("{}{:016x}", kMagic, packed.text.size()) + packed.text + literals_.text};
}

RecipeRecorder::RecipeRecorder() : parser_{std::make_unique<Parser>()} {}
RecipeRecorder::~RecipeRecorder() = default;
void RecipeRecorder::bytes(std::string_view piece) { parser_->take(piece); }
void RecipeRecorder::file(std::string path, std::uint64_t size) { placed_.push_back({std::move(path), size}); }
Result<std::optional<std::string>> RecipeRecorder::finish() { return parser_->finish(placed_); }

namespace {

class Rebuilding final : public base::ByteSource {
 public:
  Rebuilding(std::string recipe, sys::UniqueFd folder) : recipe_{std::move(recipe)}, folder_{std::move(folder)} {}

  Result<> open();
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  /// The next file or the end. False behind that.
  Result<bool> next_part();
  Result<> open_file(std::string_view path);

  const std::string recipe_;
  const sys::UniqueFd folder_;
  std::string table_;
  std::string_view rest_;  // of table_
  std::unique_ptr<base::StringSource> packed_;
  std::unique_ptr<codec::Decompressor> literals_;
  std::uint64_t literal_ = 0, content_ = 0;  // left of the present part
  std::string path_;
  sys::UniqueFd file_;
};

Result<> Rebuilding::open() {
  std::string_view text = recipe_;
  if (!text.starts_with(kMagic) || text.size() < kMagic.size() + kLengthDigits)
    return base::invalid("this is no layer's recipe");
  text.remove_prefix(kMagic.size());
  std::size_t length = 0;
  std::from_chars(text.data(), text.data() + kLengthDigits, length, 16);
  text.remove_prefix(kLengthDigits);
  if (length > text.size()) return base::invalid("a layer's recipe is cut off");
  base::StringSource packed{text.substr(0, length)};
  const auto table = TRY(codec::decompress(packed));
  table_ = TRY(base::read_all(*table, kMostTableBytes));
  rest_ = table_;
  packed_ = std::make_unique<base::StringSource>(text.substr(length));
  literals_ = TRY(codec::decompress(*packed_));
  return {};
}

Result<bool> Rebuilding::next_part() {
  if (rest_.empty()) {
    std::array<char, 1> more{};
    if (TRY(literals_->read(more)) != 0) return base::invalid("a layer's recipe has more than its table says");
    return false;
  }
  literal_ = TRY(take_number(rest_));
  content_ = TRY(take_number(rest_));
  const auto length = TRY(take_number(rest_));
  if (length > rest_.size()) return base::invalid("a layer's recipe is cut off");
  path_ = rest_.substr(0, static_cast<std::size_t>(length));
  rest_.remove_prefix(static_cast<std::size_t>(length));
  file_.reset();
  return true;
}

Result<> Rebuilding::open_file(std::string_view path) {
  file_ = TRY(sys::open_in_root(folder_.get(), std::string{path}, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME));
  const auto status = TRY(sys::stat_fd(file_.get()));
  if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != content_) {
    return base::invalid(base::quoted(path) + " of the unpacked layer is not the file that it was");
  }
  return {};
}

Result<std::size_t> Rebuilding::read(std::span<char> buffer) {
  while (literal_ == 0 && content_ == 0) {
    if (!TRY(next_part())) return 0U;
  }
  const bool from_file = literal_ == 0;
  std::uint64_t& left = from_file ? content_ : literal_;
  if (from_file && !file_.valid()) TRY(open_file(path_));
  buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left)));
  const std::size_t count = from_file ? TRY(sys::read_some(file_.get(), buffer)) : TRY(literals_->read(buffer));
  if (count == 0 && !buffer.empty()) return base::invalid("an unpacked layer has less than its recipe says");
  left -= count;
  return count;
}

}  // namespace

Result<std::unique_ptr<base::ByteSource>> rebuild(std::string recipe, sys::UniqueFd folder) {
  auto source = std::make_unique<Rebuilding>(std::move(recipe), std::move(folder));
  TRY(source->open());
  return std::unique_ptr<base::ByteSource>{std::move(source)};
}

}  // namespace layer
