#include "cli/stream/detach_keys.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace cli {

base::Result<std::string> parse_detach_keys(std::string_view text) {
  std::string out;
  for (const auto key : base::split(text, ',')) {
    if (key.size() == 1) {
      out += key;
      continue;
    }
    const std::string_view name = key.starts_with("ctrl-") ? key.substr(5) : std::string_view{};
    constexpr std::string_view kOthers = "[\\]^_";
    if (name.size() != 1) return base::invalid(fmt::format("Unknown character: '{}'", key));
    if (name[0] >= 'a' && name[0] <= 'z') {
      out += static_cast<char>(name[0] - 'a' + 1);
    } else if (name[0] == '@') {
      out += '\0';
    } else if (const auto at = kOthers.find(name[0]); at != std::string_view::npos) {
      out += static_cast<char>(27 + at);
    } else {
      return base::invalid(fmt::format("Unknown character: '{}'", key));
    }
  }
  return out;
}

bool DetachFilter::feed(std::string_view typed, std::string& out) {
  for (const char c : typed) {
    if (keys_.empty() || c != keys_[matched_]) {
      // What was held back is no beginning after all, but this key may be one.
      out.append(keys_, 0, matched_);
      matched_ = 0;
    }
    if (keys_.empty() || c != keys_[matched_]) {
      out += c;
    } else if (++matched_ == keys_.size()) {
      return true;
    }
  }
  return false;
}

}  // namespace cli
