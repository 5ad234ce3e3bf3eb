/// The writing side of the driver "local".
#include <algorithm>
#include <array>
#include <span>

#include "base/id.h"
#include "logs/detail/encoder.h"
#include "logs/detail/local_format.h"
#include "logs/detail/local_record.h"
#include "sys/fd.h"

namespace logs::detail {
namespace {

using base::Result;

class LocalEncoder final : public Encoder {
 public:
  void begin(Stream stream, base::Time time) override {
    record_.stream = stream;
    record_.time = time;
  }

  void append(std::string& out, std::string_view text, bool complete) override {
    auto& partial = partial_[record_.stream == Stream::Stdout ? 0 : 1];
    if (!complete && !partial) partial = Partial{.id = base::random_hex(kIdDigits)};
    if (partial) {
      ++partial->ordinal;
      partial->last = complete;
    }
    record_.line = text;
    record_.partial = partial;
    append_record(out, record_);
    record_.line = {};
    if (complete) partial.reset();
  }

  Result<std::string> repair(int file, std::uint64_t size) const override {
    const std::uint64_t whole = TRY(end_of_whole(file, size));
    if (whole == size) return std::string{};
    // The record that was begun is filled up: the file only grows, whatever readers have it open.
    std::array<char, kLengthSize> head{};
    const auto begun = static_cast<std::size_t>(size - whole);
    TRY(sys::read_at(file, std::span{head}.first(std::min(begun, head.size())), whole));
    std::string out(kLengthSize - std::min(begun, kLengthSize), '\0');
    const std::uint32_t length = read_length(head.data());
    // Not the start of anything that this program writes: readers find the next record behind it.
    if (length > kLongestRecord) return std::string{};
    const std::size_t have = begun > kLengthSize ? begun - kLengthSize : 0;
    if (have < length) out.append(length - have, '\0');
    std::string tail;
    append_length(tail, length);
    const std::size_t tail_there = have > length ? have - length : 0;
    return out.append(tail, std::min(tail_there, tail.size()));
  }

 private:
  static constexpr std::size_t kIdDigits = 32;
  LocalRecord record_;
  std::array<std::optional<Partial>, 2> partial_;
};

}  // namespace

std::unique_ptr<Encoder> make_local_encoder() { return std::make_unique<LocalEncoder>(); }

}  // namespace logs::detail
