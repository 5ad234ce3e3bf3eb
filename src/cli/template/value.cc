#include "cli/template/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/strings.h"

namespace cli::tmpl {

using codec::Json;

const Value* Value::Members::find(std::string_view name) const {
  for (const auto& [key, value] : items) {
    if (key == name) return &value;
  }
  if (!is_struct) return nullptr;
  for (const auto& [key, value] : items) {
    if (base::equal_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

const Value::List& Value::as_list() const {
  static const List kEmpty;
  const auto& list = std::get<std::shared_ptr<const List>>(data_);
  return list ? *list : kEmpty;
}

Value Value::of(const Json& json) {
  if (json.is_null()) return NilPointer{.typed = false};
  if (json.is_bool()) return json.as_bool();
  if (json.is_string()) return json.as_string();
  if (json.is_integer()) {
    if (json.as_int() < 0 || json.as_uint() <= INT64_MAX) return json.as_int();
    return json.as_uint();
  }
  if (json.is_number()) return json.as_double();
  if (json.is_array()) {
    List items;
    items.reserve(json.as_array().size());
    for (const Json& item : json.as_array()) items.push_back(of(item));
    return items;
  }
  Members members;
  for (const auto& [name, member] : json.as_object()) members.items.emplace_back(name, of(member));
  std::ranges::stable_sort(members.items, {}, &Member::first);
  return members;
}

Value::Kind Value::kind() const {
  switch (data_.index()) {
    case 0: return Kind::Missing;
    case 1: return Kind::Nil;
    case 2: return Kind::Bool;
    case 3: return Kind::Int;
    case 4: return Kind::Uint;
    case 5: return Kind::Float;
    case 6: return Kind::String;
    case 7: return Kind::List;
    case 8: return as_members().is_struct ? Kind::Struct : Kind::Map;
    default: return Kind::Object;
  }
}

std::string Value::type_name() const {
  switch (kind()) {
    case Kind::Missing:
    case Kind::Nil: return "interface {}";
    case Kind::Bool: return "bool";
    case Kind::Int: return "int";
    case Kind::Uint: return "uint";
    case Kind::Float: return "float64";
    case Kind::String: return "string";
    case Kind::List: return "[]interface {}";
    case Kind::Map: return "map[string]interface {}";
    case Kind::Struct: return "struct";
    case Kind::Object: break;
  }
  return std::string{as_object().type_name()};
}

bool Value::truth() const {
  switch (kind()) {
    case Kind::Missing:
    case Kind::Nil: return false;
    case Kind::Bool: return as_bool();
    case Kind::Int: return as_int() != 0;
    case Kind::Uint: return as_uint() != 0;
    case Kind::Float: return as_float() != 0;
    case Kind::String: return !as_string().empty();
    case Kind::List: return !as_list().empty();
    case Kind::Map: return !as_members().items.empty();
    case Kind::Struct:
    case Kind::Object: break;
  }
  return true;
}

Json Value::to_json() const {
  switch (kind()) {
    case Kind::Missing:
    case Kind::Nil: return {};
    case Kind::Bool: return as_bool();
    case Kind::Int: return as_int();
    case Kind::Uint: return as_uint();
    case Kind::Float: return as_float();
    case Kind::String: return as_string();
    case Kind::List: {
      if (std::get<std::shared_ptr<const List>>(data_) == nullptr) return {};
      Json::Array items;
      for (const auto& item : as_list()) items.push_back(item.to_json());
      return items;
    }
    case Kind::Map:
    case Kind::Struct: {
      const Members& own = as_members();
      if (own.is_nil) return {};
      Json::Object members;
      for (const auto& [name, member] : own.items) {
        if (std::ranges::find(own.omitted, name) == own.omitted.end())
          members.emplace_back(name, member.to_json());
      }
      return members;
    }
    case Kind::Object: break;
  }
  return as_object().json();
}

std::string float_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // to_chars gives the shortest digits that read back as the same number.
  std::array<char, 64> buffer{};
  const double magnitude = std::fabs(value);
  const bool scientific = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21);
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    scientific ? std::chars_format::scientific : std::chars_format::general);
  return {buffer.data(), end};
}

std::string Value::printed() const {
  const auto* nil = std::get_if<NilPointer>(&data_);
  if (kind() == Kind::Missing || (nil != nullptr && !nil->typed)) return "<no value>";
  std::string out;
  format_to(out);
  return out;
}

void Value::format_to(std::string& out) const {
  switch (kind()) {
    case Kind::Missing:
    case Kind::Nil: out += "<nil>"; return;
    case Kind::Bool: out += as_bool() ? "true" : "false"; return;
    case Kind::Int: out += fmt::to_string(as_int()); return;
    case Kind::Uint: out += fmt::to_string(as_uint()); return;
    case Kind::Float: out += float_text(as_float()); return;
    case Kind::String: out += as_string(); return;
    case Kind::List: {
      out += '[';
      const char* separator = "";
      for (const auto& item : as_list()) {
        out += separator;
        item.format_to(out);
        separator = " ";
      }
      out += ']';
      return;
    }
    case Kind::Map:
    case Kind::Struct: {
      const bool is_struct = as_members().is_struct;
      out += is_struct ? "{" : "map[";
      const char* separator = "";
      for (const auto& [name, member] : as_members().items) {
        out += separator;
        if (!is_struct) out += name + ":";
        member.format_to(out);
        separator = " ";
      }
      out += is_struct ? '}' : ']';
      return;
    }
    case Kind::Object: break;
  }
  out += as_object().json().dump();
}

}  // namespace cli::tmpl
