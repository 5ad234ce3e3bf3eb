#pragma once
/// A command line while it is put together, and the parts of one that describe a container.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "spec/engine/container_state.h"

namespace cli {

struct AsRunFacts;

class FlagWords {
 public:
  explicit FlagWords(std::string_view command) { words_.emplace_back(command); }

  /// --name=value: an empty value, and one that begins with "-", stay what they are.
  void add(std::string_view name, std::string_view value) {
    words_.push_back(fmt::format("--{}={}", name, value));
  }
  /// The same, unless it is empty.
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) add(name, value);
  }
  /// The same, unless it is zero.
  void number(std::string_view name, std::int64_t value) {
    if (value != 0) add(name, fmt::to_string(value));
  }
  void flag(std::string_view name, bool on) {
    if (on) words_.push_back(fmt::format("--{}", name));
  }
  void list(std::string_view name, const std::optional<spec::api::StringList>& values) {
    for (const auto& value : values.value_or(spec::api::StringList{})) add(name, value);
  }
  /// "key=value" for each.
  void map(std::string_view name, const std::optional<spec::api::Labels>& values) {
    for (const auto& [key, value] : values.value_or(spec::api::Labels{})) add(name, key + "=" + value);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

void add_host_flags(FlagWords& words, const spec::api::ContainerInspect& container, const AsRunFacts& facts);
void add_network_flags(FlagWords& words, const spec::api::ContainerInspect& container,
                       const spec::api::ContainerConfig& image);
void add_storage_flags(FlagWords& words, const spec::api::ContainerInspect& container,
                       const spec::api::ContainerConfig& image);
void add_resource_flags(FlagWords& words, const spec::api::Resources& resources);

}  // namespace cli
