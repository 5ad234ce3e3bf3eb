/// A file of a log, of whatever bytes: it is read to its end, every entry that a full read gives is given by the reads from the
/// end and by time that ask for it, and a writer that finds such a file can go on behind it.
///
/// Input: a byte with the format (even: json-file, odd: local), the file.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "logs/detail/encoder.h"
#include "logs/detail/format.h"
#include "sys/fd.h"

namespace {

using logs::Entry;

std::vector<Entry> read_from(const logs::detail::Format& format, int file, std::uint64_t offset) {
  std::vector<Entry> out;
  const auto cursor = format.cursor(file, offset);
  std::uint64_t before = offset;
  while (true) {
    const auto record = cursor->next();
    if (!record) std::abort();  // a file in memory has no errors
    if (!*record) return out;
    if (cursor->offset() <= before) std::abort();  // it would not end
    before = cursor->offset();
    Entry entry;
    if (format.read(**record, entry)) out.push_back(std::move(entry));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const bool local = data[0] % 2 == 1;
  const std::string_view text{reinterpret_cast<const char*>(data + 1), size - 1};
  const auto file = sys::make_memory_file(text);
  if (!file) return 0;
  const auto format = local ? logs::detail::make_local_format({}) : logs::detail::make_json_format();
  const auto all = read_from(*format, file->get(), 0);
  for (const std::uint64_t tail : {std::uint64_t{1}, std::uint64_t{3}}) {
    std::uint64_t count = tail;
    const auto offset = format->offset_of_last(file->get(), text.size(), count, {});
    if (!offset || *offset > text.size()) std::abort();
    static_cast<void>(read_from(*format, file->get(), *offset));
  }
  if (!all.empty()) {
    const auto offset = logs::detail::offset_of_time(*format, file->get(), text.size(), all.back().time);
    if (!offset || *offset > text.size()) std::abort();
  }
  // What repairs the end makes the next entry readable.
  const auto encoder = local ? logs::detail::make_local_encoder() : logs::detail::make_json_encoder({});
  if (text.empty()) return 0;
  auto repair = encoder->repair(file->get(), text.size());
  if (!repair) std::abort();
  std::string grown{text};
  grown += *repair;
  encoder->begin(logs::Stream::Stdout, base::Time{});
  encoder->append(grown, "the next", true);
  const auto after = sys::make_memory_file(grown);
  if (!after) return 0;
  const auto entries = read_from(*format, after->get(), 0);
  if (entries.empty() || entries.back().line != "the next\n") std::abort();
  return 0;
}
