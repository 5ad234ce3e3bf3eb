#pragma once
/// Identifiers of containers, execs, networks: 256 random bits as 64 hex digits.

#include <compare>
#include <string>
#include <string_view>

namespace base {

/// 64 hex digits from getrandom(2), whose first 12 are never all decimal (docker avoids ids that a
/// shell or YAML would read as a number).
[[nodiscard]] std::string random_id();
/// `digits` random hex digits.
[[nodiscard]] std::string random_hex(std::size_t digits);

/// An id of one noun: ids of different nouns don't mix. The default one is empty.
template <class Noun>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_{std::move(text)} {}
  static Id random() { return Id{random_id()}; }

  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] std::string short_str() const { return text_.substr(0, 12); }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

using ContainerId = Id<struct ContainerNoun>;
using ExecId = Id<struct ExecNoun>;
using NetworkId = Id<struct NetworkNoun>;

}  // namespace base

template <class Noun>
struct std::hash<base::Id<Noun>> {
  std::size_t operator()(const base::Id<Noun>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
