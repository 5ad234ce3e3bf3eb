#include "cmd/caisson-systemd/values.h"

#include <cstring>
#include <limits>
#include <string>

#include <fmt/format.h>

namespace caisson_systemd {

using base::Result;
using codec::Json;

namespace {

Result<> checked(int result, std::string_view signature) {
  if (result >= 0) return {};
  return base::invalid(fmt::format("a value of type {} can't be sent: {}", signature, std::strerror(-result)));  // NOLINT
}

template <class T>
Result<> append_integer(sd_bus_message* message, char type, const Json& value) {
  const bool fits = value.is_integer() && (std::is_signed_v<T>
                                               ? value.as_int() >= static_cast<std::int64_t>(std::numeric_limits<T>::min()) &&
                                                     value.as_int() <= static_cast<std::int64_t>(std::numeric_limits<T>::max())
                                               : value.as_int() >= 0 && value.as_uint() <= std::numeric_limits<T>::max());
  if (!fits) return base::invalid(fmt::format("a number does not fit the type {}", type));
  const T number = std::is_signed_v<T> ? static_cast<T>(value.as_int()) : static_cast<T>(value.as_uint());
  return checked(sd_bus_message_append_basic(message, type, &number), {&type, 1});
}

Result<> append_basic(sd_bus_message* message, char type, const Json& value) {
  switch (type) {
    case 'y': return append_integer<std::uint8_t>(message, type, value);
    case 'n': return append_integer<std::int16_t>(message, type, value);
    case 'q': return append_integer<std::uint16_t>(message, type, value);
    case 'i': return append_integer<std::int32_t>(message, type, value);
    case 'u': return append_integer<std::uint32_t>(message, type, value);
    case 'x': return append_integer<std::int64_t>(message, type, value);
    case 't': return append_integer<std::uint64_t>(message, type, value);
    case 'b': {
      const int flag = value.as_bool() ? 1 : 0;
      return checked(sd_bus_message_append_basic(message, type, &flag), "b");
    }
    case 'd': {
      const double number = value.as_double();
      return checked(sd_bus_message_append_basic(message, type, &number), "d");
    }
    case 's':
    case 'o':
    case 'g': return checked(sd_bus_message_append_basic(message, type, value.as_string().c_str()), {&type, 1});
    default: return base::invalid(fmt::format("values of the type {} can't be sent", type));
  }
}

/// The length of the first complete type.
std::size_t first_type(std::string_view signature) {
  std::size_t at = 0;
  while (at < signature.size() && signature[at] == 'a') ++at;
  if (at >= signature.size()) return 0;
  int depth = 0;
  do {
    if (signature[at] == '(' || signature[at] == '{') ++depth;
    if (signature[at] == ')' || signature[at] == '}') --depth;
    ++at;
  } while (depth > 0 && at < signature.size());
  return depth == 0 ? at : 0;
}

Result<> append_parts(sd_bus_message* message, char container, std::string_view contents, const Json& value) {
  const std::string text{contents};
  TRY(checked(sd_bus_message_open_container(message, container, text.c_str()), contents));
  std::size_t at = 0;
  for (const auto& part : value.as_array()) {
    const std::size_t length = first_type(contents.substr(at));
    if (length == 0) return base::invalid("a structure has too many parts for " + text);
    TRY(append(message, contents.substr(at, length), part));
    at += length;
  }
  // One with too few is refused here.
  return checked(sd_bus_message_close_container(message), contents);
}

}  // namespace

Result<> append(sd_bus_message* message, std::string_view signature, const Json& value) {
  if (signature.empty()) return base::invalid("a value without a type");
  const std::string contents{signature.substr(1)};
  switch (signature[0]) {
    case 'a': {
      TRY(checked(sd_bus_message_open_container(message, 'a', contents.c_str()), signature));
      for (const auto& item : value.as_array()) TRY(append(message, contents, item));
      return checked(sd_bus_message_close_container(message), signature);
    }
    case 'v': {
      const std::string& inner = value["s"].as_string();
      TRY(checked(sd_bus_message_open_container(message, 'v', inner.c_str()), signature));
      TRY(append(message, inner, value["v"]));
      return checked(sd_bus_message_close_container(message), signature);
    }
    case '(': return append_parts(message, 'r', signature.substr(1, signature.size() - 2), value);
    case '{': return append_parts(message, 'e', signature.substr(1, signature.size() - 2), value);
    default: return append_basic(message, signature[0], value);
  }
}

}  // namespace caisson_systemd
