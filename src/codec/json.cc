#include "codec/json.h"

#include <array>
#include <charconv>
#include <cmath>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include "base/strings.h"

namespace codec {
namespace {

constexpr std::size_t kMaxDepth = 128;

/// Builds the value from the parser's events; the innermost open container is stack_.back().
struct Builder {
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  Json root;
  std::vector<Json> stack;
  std::vector<std::string> keys;
  std::string partial;

  void put(Json value) {
    if (stack.empty()) {
      root = std::move(value);
    } else if (stack.back().is_array()) {
      stack.back().push(std::move(value));
    } else {
      stack.back().members().emplace_back(std::move(keys.back()), std::move(value));
      keys.pop_back();
    }
  }
  bool close() {
    Json value = std::move(stack.back());
    stack.pop_back();
    put(std::move(value));
    return true;
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    stack.emplace_back(Json::Object{});
    return true;
  }
  bool on_object_end(std::size_t, Code&) { return close(); }
  bool on_array_begin(Code&) {
    stack.emplace_back(Json::Array{});
    return true;
  }
  bool on_array_end(std::size_t, Code&) { return close(); }
  bool on_key_part(Text part, std::size_t, Code&) {
    partial.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, Code&) {
    partial.append(part.data(), part.size());
    keys.push_back(std::exchange(partial, {}));
    return true;
  }
  bool on_string_part(Text part, std::size_t, Code&) {
    partial.append(part.data(), part.size());
    return true;
  }
  bool on_string(Text part, std::size_t, Code&) {
    partial.append(part.data(), part.size());
    put(Json{std::exchange(partial, {})});
    return true;
  }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t value, Text, Code&) {
    put(Json{value});
    return true;
  }
  bool on_uint64(std::uint64_t value, Text, Code&) {
    put(Json{value});
    return true;
  }
  bool on_double(double value, Text, Code&) {
    put(Json{value});
    return true;
  }
  bool on_bool(bool value, Code&) {
    put(Json{value});
    return true;
  }
  bool on_null(Code&) {
    put(Json{});
    return true;
  }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

boost::json::parse_options options() {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  return options;
}

base::Error parse_error(const boost::json::error_code& code, std::size_t offset) {
  return base::invalid(fmt::format("invalid JSON at byte {}: {}", offset, code.message()));
}

constexpr std::string_view kSpace = " \t\r\n";

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out.append(buffer.data(), end);
}

struct Dumper {
  std::string& out;
  std::size_t step;  ///< 0: compact

  void line(std::size_t level) const {
    if (step == 0) return;
    out += '\n';
    out.append(level * step, ' ');
  }

  void value(const Json& json, std::size_t level) const {
    if (json.is_null()) {
      out += "null";
    } else if (json.is_bool()) {
      out += json.as_bool() ? "true" : "false";
    } else if (json.is_string()) {
      append_json_string(out, json.as_string());
    } else if (json.is_array()) {
      array(json.as_array(), level);
    } else if (json.is_object()) {
      object(json.as_object(), level);
    } else if (json.is_integer()) {
      json.as_uint() > static_cast<std::uint64_t>(INT64_MAX) ? fmt::format_to(std::back_inserter(out), "{}", json.as_uint())
                                                             : fmt::format_to(std::back_inserter(out), "{}", json.as_int());
    } else {
      append_double(out, json.as_double());
    }
  }

  void array(const Json::Array& items, std::size_t level) const {
    out += '[';
    for (const auto& item : items) {
      if (&item != items.data()) out += ',';
      line(level + 1);
      value(item, level + 1);
    }
    if (!items.empty()) line(level);
    out += ']';
  }

  void object(const Json::Object& members, std::size_t level) const {
    out += '{';
    for (const auto& member : members) {
      if (&member != members.data()) out += ',';
      line(level + 1);
      append_json_string(out, member.first);
      out += step == 0 ? ":" : ": ";
      value(member.second, level + 1);
    }
    if (!members.empty()) line(level);
    out += '}';
  }
};

}  // namespace

base::Result<Json> Json::parse(std::string_view text) {
  std::size_t used = 0;
  Json value = TRY(parse_prefix(text, used));
  if (used == 0) return base::invalid("invalid JSON: unexpected end of input");
  if (const auto rest = text.find_first_not_of(kSpace, used); rest != std::string_view::npos) {
    return base::invalid(fmt::format("invalid JSON at byte {}: extra data", rest));
  }
  return value;
}

base::Result<Json> Json::parse_prefix(std::string_view text, std::size_t& used) {
  used = 0;
  const auto start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return Json{};
  try {
    boost::json::basic_parser<Builder> parser{options()};
    boost::json::error_code code;
    std::size_t count = parser.write_some(true, text.data() + start, text.size() - start, code);
    if (!code && !parser.done()) parser.write_some(false, "", 0, code);
    if (code == boost::json::error::incomplete) return Json{};
    if (code) return parse_error(code, start + count);
    used = start + count;
    return std::move(parser.handler().root);
  } catch (const std::exception& failure) {
    return base::invalid(std::string{"invalid JSON: "} + failure.what());
  }
}

bool Json::as_bool() const {
  const auto* value = std::get_if<bool>(&value_);
  return value != nullptr && *value;
}

std::int64_t Json::as_int() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  if (std::holds_alternative<std::uint64_t>(value_)) return INT64_MAX;
  if (const auto* value = std::get_if<double>(&value_)) {
    if (*value >= 9.2e18) return INT64_MAX;
    if (*value <= -9.2e18) return INT64_MIN;
    return static_cast<std::int64_t>(*value);
  }
  return 0;
}

std::uint64_t Json::as_uint() const {
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return *value;
  const auto value = as_int();
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

double Json::as_double() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
  return static_cast<double>(as_int());
}

const std::string& Json::as_string() const {
  static const std::string kEmpty;
  const auto* value = std::get_if<std::string>(&value_);
  return value == nullptr ? kEmpty : *value;
}

const Json::Array& Json::as_array() const {
  static const Array kEmpty;
  const auto* value = std::get_if<Array>(&value_);
  return value == nullptr ? kEmpty : *value;
}

const Json::Object& Json::as_object() const {
  static const Object kEmpty;
  const auto* value = std::get_if<Object>(&value_);
  return value == nullptr ? kEmpty : *value;
}

const Json& Json::operator[](std::string_view name) const {
  static const Json kNull;
  for (const auto& [key, value] : as_object()) {
    if (key == name) return value;
  }
  return kNull;
}

const Json* Json::find(std::string_view name) const {
  const Json* loose = nullptr;
  for (const auto& [key, value] : as_object()) {
    if (key == name) return &value;
    if (loose == nullptr && base::equal_ignoring_case(key, name)) loose = &value;
  }
  return loose;
}

Json& Json::set(std::string_view name, Json value) {
  for (auto& [key, old] : members()) {
    if (key == name) {
      old = std::move(value);
      return *this;
    }
  }
  members().emplace_back(std::string{name}, std::move(value));
  return *this;
}

Json& Json::push(Json item) {
  items().push_back(std::move(item));
  return *this;
}

Json::Array& Json::items() {
  if (is_null()) value_ = Array{};
  CAISSON_INVARIANT(is_array());
  return std::get<Array>(value_);
}

Json::Object& Json::members() {
  if (is_null()) value_ = Object{};
  CAISSON_INVARIANT(is_object());
  return std::get<Object>(value_);
}

std::string_view Json::type_name() const {
  if (is_null()) return "null";
  if (is_bool()) return "bool";
  if (is_string()) return "string";
  if (is_array()) return "array";
  if (is_object()) return "object";
  return "number";
}

std::string Json::dump() const {
  std::string out;
  dump_to(out);
  return out;
}

void Json::dump_to(std::string& out) const { Dumper{out, 0}.value(*this, 0); }

std::string Json::dump_pretty(std::size_t step) const {
  std::string out;
  Dumper{out, step}.value(*this, 0);
  return out;
}

namespace {

/// The length of the well-formed UTF-8 sequence at `at`, 0 if there is none (RFC 3629).
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0U) != 0x80U) return 0;
  }
  const std::uint8_t second = byte(at + 1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
      (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<std::uint8_t>(text[i]);
    if (c >= 0x80) {
      const std::size_t length = utf8_length(text, i);
      if (length == 0) {
        out += "\\ufffd";
        ++i;
      } else {
        out.append(text, i, length);
        i += length;
      }
      continue;
    }
    ++i;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x7f) {
          out += "\\u00";
          out += kHex[c >> 4U];
          out += kHex[c & 15U];
        } else {
          out += static_cast<char>(c);
        }
    }
  }
  out += '"';
}

}  // namespace codec
