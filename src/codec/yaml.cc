#include "codec/yaml.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include <yaml.h>

#include "base/strings.h"

namespace codec {
namespace {

constexpr unsigned kDeepest = 64;
constexpr std::size_t kMostValues = 100'000;

/// libyaml's parser and the event that it gave last.
class Events {
 public:
  explicit Events(std::string_view text) {
    ok_ = ::yaml_parser_initialize(&parser_) == 1;
    if (ok_) {
      ::yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    }
  }
  ~Events() {
    drop();
    if (ok_) ::yaml_parser_delete(&parser_);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  base::Result<> next() {
    drop();
    if (!ok_) return base::internal("no memory for a YAML parser");
    if (::yaml_parser_parse(&parser_, &event_) == 1) {
      held_ = true;
      return {};
    }
    return error(parser_.problem != nullptr ? parser_.problem : "not readable", parser_.problem_mark.line);
  }
  [[nodiscard]] base::Error error_here(std::string_view why) const { return error(why, event_.start_mark.line); }
  [[nodiscard]] const yaml_event_t& now() const { return event_; }

 private:
  static base::Error error(std::string_view why, std::size_t line) {
    return base::invalid("yaml: line " + std::to_string(line + 1) + ": " + std::string{why});
  }
  void drop() {
    if (held_) ::yaml_event_delete(&event_);
    held_ = false;
  }

  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool ok_ = false, held_ = false;
};

std::string text_of(const yaml_char_t* name) {
  return name == nullptr ? std::string{} : std::string{reinterpret_cast<const char*>(name)};
}

/// A number as JSON's readers know it, or with YAML's other bases.
std::optional<Json> number_of(const std::string& text) {
  const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const std::string digits = text.substr(sign);
  const auto in_base = [&](std::size_t prefix, int radix) -> std::optional<Json> {
    const std::string rest = digits.substr(prefix);
    char* end = nullptr;
    errno = 0;
    const unsigned long long value = std::strtoull(rest.c_str(), &end, radix);
    if (rest.empty() || rest[0] == '-' || rest[0] == '+' || *end != '\0' || errno != 0 || value > INT64_MAX) return std::nullopt;
    const auto number = static_cast<std::int64_t>(value);
    return Json{text[0] == '-' ? -number : number};
  };
  if (digits.starts_with("0x")) return in_base(2, 16);
  if (digits.starts_with("0o")) return in_base(2, 8);
  if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of("01234567") == std::string::npos) {
    return in_base(1, 8);  // YAML 1.1 writes file modes so
  }
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;
  auto number = Json::parse((text[0] == '-' ? "-" : "") + digits);
  if (!number || !number->is_number()) return std::nullopt;
  return *std::move(number);
}

Json plain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (auto number = number_of(text)) return *std::move(number);
  return text;
}

std::size_t count_of(const Json& value) {
  std::size_t count = 1;
  for (const Json& item : value.as_array()) count += count_of(item);
  for (const auto& [name, member] : value.as_object()) count += count_of(member);
  return count;
}

class Composer {
 public:
  explicit Composer(std::string_view text) : events_{text} {}

  base::Result<Json> document() {
    TRY(events_.next());  // the stream's start
    TRY(events_.next());
    if (events_.now().type == YAML_STREAM_END_EVENT) return Json{};
    TRY(events_.next());
    return value(0);
  }

 private:
  /// Of the event that is there; leaves the last one of the value there.
  base::Result<Json> value(unsigned depth) {
    if (depth > kDeepest) return events_.error_here("too many levels");
    if (++values_ > kMostValues) return events_.error_here("too many values");
    const yaml_event_t& event = events_.now();
    switch (event.type) {
      case YAML_SCALAR_EVENT: {
        const std::string anchor = text_of(event.data.scalar.anchor);
        const std::string text{reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length};
        return remember(anchor, event.data.scalar.plain_implicit != 0 ? plain(text) : Json{text});
      }
      case YAML_SEQUENCE_START_EVENT: {
        const std::string anchor = text_of(event.data.sequence_start.anchor);
        return remember(anchor, TRY(sequence(depth)));
      }
      case YAML_MAPPING_START_EVENT: {
        const std::string anchor = text_of(event.data.mapping_start.anchor);
        return remember(anchor, TRY(mapping(depth)));
      }
      case YAML_ALIAS_EVENT: {
        const auto found = anchors_.find(text_of(event.data.alias.anchor));
        if (found == anchors_.end()) return events_.error_here("unknown alias " + text_of(event.data.alias.anchor));
        values_ += count_of(found->second);
        if (values_ > kMostValues) return events_.error_here("too many values");
        return found->second;
      }
      default: return events_.error_here("a value was expected");
    }
  }

  base::Result<Json> sequence(unsigned depth) {
    Json out{Json::Array{}};
    while (true) {
      TRY(events_.next());
      if (events_.now().type == YAML_SEQUENCE_END_EVENT) return out;
      out.push(TRY(value(depth + 1)));
    }
  }

  base::Result<Json> mapping(unsigned depth) {
    Json out{Json::Object{}};
    while (true) {
      TRY(events_.next());
      const yaml_event_t& event = events_.now();
      if (event.type == YAML_MAPPING_END_EVENT) return out;
      if (event.type != YAML_SCALAR_EVENT) return events_.error_here("a name was expected");
      const std::string name{reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length};
      for (const auto& [other, member] : out.as_object()) {
        if (other == name) return events_.error_here("the name " + base::quoted(name) + " stands twice");
      }
      TRY(events_.next());
      out.members().emplace_back(name, TRY(value(depth + 1)));
    }
  }

  Json remember(const std::string& anchor, Json json) {
    if (!anchor.empty()) anchors_.insert_or_assign(anchor, json);
    return json;
  }

  Events events_;
  std::map<std::string, Json> anchors_;
  std::size_t values_ = 0;
};

}  // namespace

base::Result<Json> parse_yaml(std::string_view text) { return Composer{text}.document(); }

}  // namespace codec
