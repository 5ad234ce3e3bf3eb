#pragma once
/// Structs ↔ JSON from one description of their fields:
///
///   struct Port { std::string host_ip; std::string host_port; };
///   void describe(auto& v, Port& port) {
///     v("HostIp", port.host_ip);
///     v("HostPort", port.host_port);
///   }
///   std::string text = codec::to_json(port).dump();
///   Port port = TRY(codec::from_json<Port>(json));
///
/// `describe` is found by argument-dependent lookup, so it stands beside its struct. Reading is as
/// Go's encoding/json does it, since its users rely on that: names without regard to case, unknown
/// members ignored, null leaves the field as it is. A wrong type is InvalidArgument and names the
/// field's path. Writing leaves out what `v.opt(…)` names when it is empty (Go's omitempty).
///
/// Field types: bool, integers, double, std::string, Json, std::optional<T>, std::vector<T>,
/// std::map<std::string, T>, and any described struct. An optional that is empty is written as null
/// by `v(…)` and left out by `v.opt(…)`.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace codec {

class JsonReader;
class JsonWriter;

template <class T>
concept Described = requires(JsonReader& reader, T& value) { describe(reader, value); };

class JsonWriter {
 public:
  static constexpr bool kReading = false;

  template <class T>
  void operator()(std::string_view name, T& field) {
    out_.emplace_back(std::string{name}, write(field));
  }
  /// Omitted when empty: false, 0, "", no items, no value.
  template <class T>
  void opt(std::string_view name, T& field) {
    if (!is_empty(field)) (*this)(name, field);
  }
  /// All members of a part that has no name of its own (an embedded struct in Go).
  template <class T>
  void embed(T& part) {
    describe(*this, part);
  }
  [[nodiscard]] Json take() { return Json{std::move(out_)}; }

  template <class T>
  static Json write(const T& value) {
    if constexpr (std::is_same_v<T, Json> || std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
      return Json{value};
    } else if constexpr (std::is_arithmetic_v<T>) {
      return Json{value};
    } else if constexpr (Described<T>) {
      JsonWriter writer;
      describe(writer, const_cast<T&>(value));  // one description serves reading and writing
      return writer.take();
    } else {
      return write_container(value);
    }
  }

 private:
  template <class T>
  static Json write_container(const std::optional<T>& value) {
    return value ? write(*value) : Json{};
  }
  template <class T>
  static Json write_container(const std::vector<T>& values) {
    Json::Array items;
    items.reserve(values.size());
    for (const auto& value : values) items.push_back(write(static_cast<const T&>(value)));
    return Json{std::move(items)};
  }
  template <class T>
  static Json write_container(const std::map<std::string, T>& values) {
    Json::Object members;
    for (const auto& [key, value] : values) members.emplace_back(key, write(value));
    return Json{std::move(members)};
  }

  template <class T>
  static bool is_empty(const T& value) {
    if constexpr (std::is_arithmetic_v<T>) {
      return value == T{};
    } else if constexpr (std::is_same_v<T, Json>) {
      return value.is_null();
    } else if constexpr (requires { value.has_value(); }) {
      return !value.has_value();
    } else if constexpr (requires { value.empty(); }) {
      return value.empty();
    } else {
      return false;
    }
  }

  Json::Object out_;
};

class JsonReader {
 public:
  static constexpr bool kReading = true;

  explicit JsonReader(const Json& in, std::string path = {}) : in_{in}, path_{std::move(path)} {}

  template <class T>
  void operator()(std::string_view name, T& field) {
    if (!failure_.empty()) return;
    if (const Json* value = in_.find(name)) failure_ = read(*value, field, child(name));
  }
  template <class T>
  void opt(std::string_view name, T& field) {
    (*this)(name, field);
  }
  template <class T>
  void embed(T& part) {
    describe(*this, part);
  }
  /// Empty, or what is wrong and where.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  template <class T>
  static std::string read(const Json& in, T& field, const std::string& path) {
    if constexpr (std::is_same_v<T, Json>) {
      field = in;
      return {};
    } else {
      if (in.is_null()) return {};
      return read_value(in, field, path);
    }
  }

 private:
  static std::string mismatch(const Json& in, std::string_view want, const std::string& path) {
    std::string text = "cannot unmarshal ";
    text += in.type_name();
    text += " into field " + (path.empty() ? std::string{"of the document"} : path) + " of type ";
    return text.append(want);
  }
  [[nodiscard]] std::string child(std::string_view name) const {
    return path_.empty() ? std::string{name} : path_ + "." + std::string{name};
  }

  template <class T>
  static std::string read_value(const Json& in, T& field, const std::string& path) {
    if constexpr (std::is_same_v<T, bool>) {
      if (!in.is_bool()) return mismatch(in, "bool", path);
      field = in.as_bool();
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!in.is_number()) return mismatch(in, "number", path);
      field = static_cast<T>(in.as_double());
    } else if constexpr (std::is_integral_v<T>) {
      if (!in.is_integer()) return mismatch(in, "integer", path);
      if constexpr (std::is_unsigned_v<T>) {
        field = static_cast<T>(in.as_uint());
        if (in.as_int() < 0 || field != in.as_uint()) return out_of_range(path);
      } else {
        field = static_cast<T>(in.as_int());
        if (field != in.as_int()) return out_of_range(path);
      }
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!in.is_string()) return mismatch(in, "string", path);
      field = in.as_string();
    } else if constexpr (Described<T>) {
      if (!in.is_object()) return mismatch(in, "object", path);
      JsonReader reader{in, path};
      describe(reader, field);
      return reader.failure();
    } else {
      return read_container(in, field, path);
    }
    return {};
  }

  template <class T>
  static std::string read_container(const Json& in, std::optional<T>& field, const std::string& path) {
    return read(in, field.emplace(), path);
  }
  template <class T>
  static std::string read_container(const Json& in, std::vector<T>& field, const std::string& path) {
    if (!in.is_array()) return mismatch(in, "array", path);
    field.clear();
    for (const Json& item : in.as_array()) {
      T value{};
      if (auto failure = read(item, value, path + "[]"); !failure.empty()) return failure;
      field.push_back(std::move(value));
    }
    return {};
  }
  template <class T>
  static std::string read_container(const Json& in, std::map<std::string, T>& field,
                                    const std::string& path) {
    if (!in.is_object()) return mismatch(in, "object", path);
    field.clear();
    for (const auto& [key, item] : in.as_object()) {
      if (auto failure = read(item, field[key], path + "." + key); !failure.empty()) return failure;
    }
    return {};
  }
  static std::string out_of_range(const std::string& path) {
    return "number out of range in field " + path;
  }

  const Json& in_;
  std::string path_;
  std::string failure_;
};

template <class T>
[[nodiscard]] Json to_json(const T& value) {
  return JsonWriter::write(value);
}

template <class T>
base::Result<T> from_json(const Json& json) {
  T value{};
  if (auto failure = JsonReader::read(json, value, {}); !failure.empty()) {
    return base::invalid("json: " + failure);
  }
  return value;
}

/// Parses and reads in one step.
template <class T>
base::Result<T> from_json_text(std::string_view text) {
  return from_json<T>(TRY(Json::parse(text)));
}

}  // namespace codec
