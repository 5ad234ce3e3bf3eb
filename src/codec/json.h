#pragma once
/// A JSON value. Objects keep the order of their members, numbers keep being integers.
/// Parsing is Boost.JSON's, seen by json.cc only. Source: RFC 8259.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace codec {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;
  Json(std::nullptr_t) {}                                 // NOLINT(google-explicit-constructor)
  Json(bool value) : value_{value} {}                     // NOLINT
  Json(const char* value) : value_{std::string{value}} {}  // NOLINT
  Json(std::string value) : value_{std::move(value)} {}   // NOLINT
  Json(std::string_view value) : value_{std::string{value}} {}  // NOLINT
  Json(Array value) : value_{std::move(value)} {}         // NOLINT
  Json(Object value) : value_{std::move(value)} {}        // NOLINT
  Json(double value) : value_{value} {}                   // NOLINT
  template <class Int>
    requires(std::is_integral_v<Int> && !std::is_same_v<Int, bool>)
  Json(Int value) {  // NOLINT
    if constexpr (std::is_signed_v<Int>) {
      value_ = static_cast<std::int64_t>(value);
    } else if (value <= static_cast<std::uint64_t>(INT64_MAX)) {
      value_ = static_cast<std::int64_t>(value);
    } else {
      value_ = static_cast<std::uint64_t>(value);
    }
  }
  static Json object(std::initializer_list<Member> members) { return Json{Object{members}}; }
  static Json array(std::initializer_list<Json> items) { return Json{Array{items}}; }

  /// One value and nothing after it but space. At most 128 levels deep.
  /// Errors: InvalidArgument, with Boost.JSON's reason and the offset.
  static base::Result<Json> parse(std::string_view text);
  /// The first value of `text`; `used` says how many bytes it and the space before it took.
  /// For streams of values (progress messages). `used` = 0 when the value is not complete yet.
  static base::Result<Json> parse_prefix(std::string_view text, std::size_t& used);

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value_); }
  [[nodiscard]] bool is_integer() const {
    return std::holds_alternative<std::int64_t>(value_) ||
           std::holds_alternative<std::uint64_t>(value_);
  }
  [[nodiscard]] bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }

  // Lenient access: a value of another type reads as the empty one.
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int() const;  ///< saturates
  [[nodiscard]] std::uint64_t as_uint() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const Array& as_array() const;
  [[nodiscard]] const Object& as_object() const;

  /// The member of this name, or null. Exact name.
  [[nodiscard]] const Json& operator[](std::string_view name) const;
  /// As Go's encoding/json looks fields up: exact name first, then without regard to case.
  [[nodiscard]] const Json* find(std::string_view name) const;
  /// Sets or adds a member; a null becomes an object first.
  Json& set(std::string_view name, Json value);
  /// Appends; a null becomes an array first.
  Json& push(Json item);
  Array& items();      ///< a null becomes an array
  Object& members();   ///< a null becomes an object

  /// Compact, UTF-8, with <, > and & escaped as Go's encoder does.
  [[nodiscard]] std::string dump() const;
  /// `step` spaces per level, for people and for `inspect`.
  [[nodiscard]] std::string dump_pretty(std::size_t step = 4) const;
  void dump_to(std::string& out) const;

  /// "null", "bool", "number", "string", "array", "object".
  [[nodiscard]] std::string_view type_name() const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>
      value_;
};

/// Quotes and escapes `text` onto `out` as dump() does.
void append_json_string(std::string& out, std::string_view text);

}  // namespace codec
