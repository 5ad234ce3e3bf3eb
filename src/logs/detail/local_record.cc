#include "logs/detail/local_record.h"

namespace logs::detail {
namespace {

enum Tag : std::uint8_t {
  kSource = 0x0a,
  kTime = 0x10,
  kLine = 0x1a,
  kPartial = 0x20,
  kMetadata = 0x2a,
  // Of the metadata:
  kLast = 0x08,
  kId = 0x12,
  kOrdinal = 0x18,
};

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

void append_bytes(std::string& out, Tag tag, std::string_view bytes) {
  out += static_cast<char>(tag);
  append_varint(out, bytes.size());
  out += bytes;
}

void append_number(std::string& out, Tag tag, std::uint64_t value) {
  out += static_cast<char>(tag);
  append_varint(out, value);
}

/// Takes fields off the front of a message.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_{message} {}

  struct Field {
    std::uint64_t tag = 0;
    std::uint64_t number = 0;
    std::string_view bytes;
  };
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  /// nullopt if it is malformed.
  std::optional<Field> next() {
    Field field;
    const auto tag = varint();
    if (!tag) return std::nullopt;
    field.tag = *tag;
    const auto number = varint();
    if (!number) return std::nullopt;
    switch (field.tag & 7U) {
      case 0: field.number = *number; return field;
      case 2:
        if (*number > rest_.size()) return std::nullopt;
        field.bytes = rest_.substr(0, *number);
        rest_.remove_prefix(*number);
        return field;
      default: return std::nullopt;  // no field of fixed size is known here
    }
  }

 private:
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

std::optional<Partial> read_partial(std::string_view message) {
  Partial partial;
  Fields fields{message};
  while (!fields.at_end()) {
    const auto field = fields.next();
    if (!field) return std::nullopt;
    if (field->tag == kLast) partial.last = field->number != 0;
    if (field->tag == kId) partial.id = field->bytes;
    if (field->tag == kOrdinal) partial.ordinal = static_cast<std::uint32_t>(field->number);
  }
  return partial;
}

}  // namespace

std::uint32_t read_length(const char* bytes) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kLengthSize; ++i) length = (length << 8U) | static_cast<std::uint8_t>(bytes[i]);
  return length;
}

void append_length(std::string& out, std::uint32_t length) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(length >> shift & 0xffU);
}

void append_record(std::string& out, const LocalRecord& record) {
  const std::size_t start = out.size();
  append_length(out, 0);  // put right below
  append_bytes(out, kSource, name_of(record.stream));
  append_number(out, kTime, static_cast<std::uint64_t>(record.time.time_since_epoch().count()));
  append_bytes(out, kLine, record.line);
  if (record.partial) {
    append_number(out, kPartial, 1);
    std::string metadata;
    if (record.partial->last) append_number(metadata, kLast, 1);
    append_bytes(metadata, kId, record.partial->id);
    append_number(metadata, kOrdinal, record.partial->ordinal);
    append_bytes(out, kMetadata, metadata);
  }
  const auto length = static_cast<std::uint32_t>(out.size() - start - kLengthSize);
  append_length(out, length);
  std::string head;
  append_length(head, length);
  out.replace(start, kLengthSize, head);
}

std::optional<LocalRecord> read_record(std::string_view message) {
  LocalRecord record;
  bool has_source = false;
  Fields fields{message};
  while (!fields.at_end()) {
    const auto field = fields.next();
    if (!field) return std::nullopt;
    switch (field->tag) {
      case kSource:
        if (field->bytes != "stdout" && field->bytes != "stderr") return std::nullopt;
        record.stream = field->bytes == "stdout" ? Stream::Stdout : Stream::Stderr;
        has_source = true;
        break;
      case kTime: record.time = base::Time{std::chrono::nanoseconds{static_cast<std::int64_t>(field->number)}}; break;
      case kLine: record.line = field->bytes; break;
      case kPartial:
        if (field->number != 0 && !record.partial) record.partial.emplace();
        break;
      case kMetadata: {
        auto partial = read_partial(field->bytes);
        if (!partial) return std::nullopt;
        record.partial = std::move(partial);
        break;
      }
      default: break;  // a younger writer's
    }
  }
  if (!has_source) return std::nullopt;
  return record;
}

}  // namespace logs::detail
