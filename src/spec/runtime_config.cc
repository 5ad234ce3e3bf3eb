#include "spec/runtime_config.h"

#include <fmt/format.h>

namespace spec::oci {

namespace {

using codec::Json;

/// Where a string has a NUL in it, or nothing. To the kernel the string would end there.
std::string find_nul(const Json& json, const std::string& path) {
  if (json.is_string()) return json.as_string().find('\0') == std::string::npos ? std::string{} : path;
  if (json.is_array()) {
    std::size_t index = 0;
    for (const Json& item : json.as_array()) {
      if (auto found = find_nul(item, fmt::format("{}[{}]", path, index++)); !found.empty()) return found;
    }
  }
  if (json.is_object()) {
    for (const auto& [key, item] : json.as_object()) {
      if (key.find('\0') != std::string::npos) return path.empty() ? "the document" : path;
      if (auto found = find_nul(item, path.empty() ? key : path + "." + key); !found.empty()) return found;
    }
  }
  return {};
}

template <class T>
base::Result<T> parse(std::string_view text) {
  const Json json = TRY(Json::parse(text));
  // Only written so can it be there.
  if (text.find("\\u0000") != std::string_view::npos) {
    const std::string where = find_nul(json, {});
    if (!where.empty()) return base::invalid(fmt::format("json: a NUL character in field {}", where));
  }
  return codec::from_json<T>(json);
}

}  // namespace

base::Result<Spec> parse_spec(std::string_view text) { return parse<Spec>(text).context("config.json"); }

std::string to_text(const Spec& spec) { return codec::to_json(spec).dump(); }

base::Result<Process> parse_process(std::string_view text) {
  return parse<Process>(text).context("process document");
}

base::Result<Resources> parse_resources(std::string_view text) {
  return parse<Resources>(text).context("resources document");
}

}  // namespace spec::oci
