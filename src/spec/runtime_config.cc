#include "spec/runtime_config.h"

#include <fmt/format.h>

#include "base/strings.h"

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

/// "2MB", as /sys/kernel/mm/hugepages and the cgroup files name them: the schema has the same pattern.
bool is_page_size(std::string_view text) {
  if (text.size() < 3 || text.back() != 'B' || std::string_view{"KMG"}.find(text[text.size() - 2]) == std::string_view::npos) return false;
  text.remove_suffix(2);
  return text.front() != '0' && text.find_first_not_of("0123456789") == std::string_view::npos;
}

base::Result<> check(const Resources& resources, std::string_view field) {
  for (std::size_t i = 0; i < resources.hugepage_limits.size(); ++i) {
    const std::string& size = resources.hugepage_limits[i].page_size;
    if (!is_page_size(size)) return base::invalid(fmt::format("{}hugepageLimits[{}].pageSize: {} is no size like 2MB", field, i, base::quoted(size)));
  }
  return {};
}

}  // namespace

base::Result<Spec> parse_spec(std::string_view text) {
  Spec spec = TRY(parse<Spec>(text).context("config.json"));
  if (spec.linux_section && spec.linux_section->resources) {
    TRY(check(*spec.linux_section->resources, "linux.resources.").context("config.json"));
  }
  return spec;
}

std::string to_text(const Spec& spec) { return codec::to_json(spec).dump(); }

base::Result<Process> parse_process(std::string_view text) {
  return parse<Process>(text).context("process document");
}

base::Result<Resources> parse_resources(std::string_view text) {
  Resources resources = TRY(parse<Resources>(text).context("resources document"));
  TRY(check(resources, "").context("resources document"));
  return resources;
}

}  // namespace spec::oci
