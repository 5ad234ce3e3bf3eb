#pragma once
/// What a template computes with: the values of Go that docker's output contexts are made of.
/// Cheap to copy; immutable once built. Single-threaded.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "codec/describe.h"
#include "codec/json.h"

namespace cli::tmpl {

class Value;

/// Something whose fields are computed when they are asked for: one line of `ps`, of `images`, ….
/// Must outlive the execution.
class Object {
 public:
  virtual ~Object() = default;
  /// `.Name` and `.Label "key"`. nullopt: there is no such field. Errors: a wrong call.
  [[nodiscard]] virtual base::Result<std::optional<Value>> field(std::string_view name,
                                                                 std::span<const Value> arguments) const = 0;
  /// What `{{json .}}` shows.
  [[nodiscard]] virtual codec::Json json() const = 0;
  /// As Go names it, for messages: "*container.formatter".
  [[nodiscard]] virtual std::string_view type_name() const = 0;
};

class Value {
 public:
  enum class Kind : std::uint8_t {
    Missing,  ///< no value: a key that is not in a map
    Nil,      ///< a nil pointer, a JSON null
    Bool,
    Int,
    Uint,
    Float,
    String,
    List,
    Map,
    Struct,
    Object,
  };
  using List = std::vector<Value>;
  using Member = std::pair<std::string, Value>;
  /// A map or a struct: only a struct has a fixed set of fields, keeps their order, and finds them
  /// without regard to case.
  struct Members {
    std::vector<Member> items;
    bool is_struct = false;
    bool is_nil = false;               ///< a nil map: empty, and null in JSON
    std::vector<std::string> omitted;  ///< of a struct: members that JSON leaves out
    /// What the index of a missing key gives: Go's zero value of the map's element type.
    std::shared_ptr<const Value> zero;
    [[nodiscard]] const Value* find(std::string_view name) const;
  };
  struct NilPointer {
    bool typed = true;  ///< false: a nil interface{}, which {{.}} prints as "<no value>"
  };

  Value() = default;
  Value(NilPointer nil) : data_{nil} {}                         // NOLINT(google-explicit-constructor)
  Value(bool value) : data_{value} {}                           // NOLINT
  Value(double value) : data_{value} {}                         // NOLINT
  Value(std::string value) : data_{std::move(value)} {}         // NOLINT
  Value(std::string_view value) : data_{std::string{value}} {}  // NOLINT
  Value(const char* value) : data_{std::string{value}} {}       // NOLINT
  template <class Int>
    requires(std::is_integral_v<Int> && !std::is_same_v<Int, bool>)
  Value(Int value) {  // NOLINT
    if constexpr (std::is_signed_v<Int>) {
      data_ = static_cast<std::int64_t>(value);
    } else {
      data_ = static_cast<std::uint64_t>(value);
    }
  }
  Value(List items) : data_{std::make_shared<const List>(std::move(items))} {}            // NOLINT
  Value(Members members) : data_{std::make_shared<const Members>(std::move(members))} {}  // NOLINT
  Value(const Object* object) : data_{object} {}                                          // NOLINT
  /// A nil slice: empty, and null in JSON.
  static Value nil_list() {
    Value out;
    out.data_ = std::shared_ptr<const List>{};
    return out;
  }
  /// As Go decodes JSON into interface{}, but numbers without a fraction stay integers.
  static Value of(const codec::Json& json);

  [[nodiscard]] Kind kind() const;
  /// "string", "int", "map[string]interface {}": for messages.
  [[nodiscard]] std::string type_name() const;
  /// Go's truth of text/template: not empty, not zero.
  [[nodiscard]] bool truth() const;

  // The caller knows the kind.
  [[nodiscard]] bool as_bool() const { return std::get<bool>(data_); }
  [[nodiscard]] std::int64_t as_int() const { return std::get<std::int64_t>(data_); }
  [[nodiscard]] std::uint64_t as_uint() const { return std::get<std::uint64_t>(data_); }
  [[nodiscard]] double as_float() const { return std::get<double>(data_); }
  [[nodiscard]] const std::string& as_string() const { return std::get<std::string>(data_); }
  [[nodiscard]] const List& as_list() const;
  [[nodiscard]] const Members& as_members() const { return *std::get<std::shared_ptr<const Members>>(data_); }
  [[nodiscard]] const Object& as_object() const { return *std::get<const Object*>(data_); }

  [[nodiscard]] codec::Json to_json() const;
  /// As {{.}} prints it: no value as "<no value>".
  [[nodiscard]] std::string printed() const;
  /// Go's %v.
  void format_to(std::string& out) const;

 private:
  std::variant<std::monostate, NilPointer, bool, std::int64_t, std::uint64_t, double, std::string,
               std::shared_ptr<const List>, std::shared_ptr<const Members>, const Object*>
      data_;
};

/// Go's %v of a float.
[[nodiscard]] std::string float_text(double value);

/// A described struct (codec/describe.h) as Go would hold it: a nil pointer is told from an empty
/// struct, a map from a struct.
template <class T>
[[nodiscard]] Value value_of(const T& value);

namespace detail {

class StructBuilder {
 public:
  static constexpr bool kReading = false;
  template <class T>
  void operator()(std::string_view name, T& field) {
    members_.items.emplace_back(std::string{name}, value_of(static_cast<const T&>(field)));
  }
  template <class T>
  void opt(std::string_view name, T& field) {
    (*this)(name, field);
    // A struct is never left out; of the rest, what is empty.
    const Value& value = members_.items.back().second;
    if (value.kind() != Value::Kind::Struct && !value.truth()) members_.omitted.emplace_back(name);
  }
  template <class T>
  void embed(T& part) {
    describe(*this, part);
  }
  [[nodiscard]] Value take() {
    members_.is_struct = true;
    return Value{std::move(members_)};
  }

 private:
  Value::Members members_;
};

template <class T>
Value container_of(const std::vector<T>& values) {
  Value::List out;
  out.reserve(values.size());
  for (const auto& value : values) out.push_back(value_of(static_cast<const T&>(value)));
  return Value{std::move(out)};
}
template <class T>
Value container_of(const std::map<std::string, T>& values) {
  Value::Members out;
  for (const auto& [key, value] : values) out.items.emplace_back(key, value_of(value));
  out.zero = std::make_shared<const Value>(value_of(T{}));
  return Value{std::move(out)};
}
/// What Go has where this program has an empty optional.
template <class T>
Value nil_of(const T* /*type*/) {
  return Value{Value::NilPointer{}};
}
template <class T>
Value nil_of(const std::vector<T>* /*type*/) {
  return Value::nil_list();
}
template <class T>
Value nil_of(const std::map<std::string, T>* /*type*/) {
  Value::Members out;
  out.is_nil = true;
  out.zero = std::make_shared<const Value>(value_of(T{}));
  return Value{std::move(out)};
}
template <class T>
Value container_of(const std::optional<T>& value) {
  return value ? value_of(*value) : nil_of(static_cast<const T*>(nullptr));
}

}  // namespace detail

template <class T>
Value value_of(const T& value) {
  if constexpr (std::is_same_v<T, codec::Json>) {
    return Value::of(value);
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return Value{value};
  } else if constexpr (requires(detail::StructBuilder& b, T& object) { describe(b, object); }) {
    detail::StructBuilder builder;
    describe(builder, const_cast<T&>(value));  // one description serves reading and writing
    return builder.take();
  } else {
    return detail::container_of(value);
  }
}

}  // namespace cli::tmpl
