#include "shim/detail/detach_keys.h"

#include "base/strings.h"

namespace shim::detail {

using base::Result;

Result<std::string> parse_detach_keys(std::string_view keys) {
  if (keys.empty()) keys = "ctrl-p,ctrl-q";
  std::string out;
  for (const auto key : base::split(keys, ',')) {
    static constexpr std::string_view kControl = "ctrl-";
    if (key.size() == 1) {
      out += key;
    } else if (key.size() == kControl.size() + 1 && key.starts_with(kControl)) {
      const char c = key.back();
      const bool known = (c >= 'a' && c <= 'z') || std::string_view{"@[\\]^_"}.find(c) != std::string_view::npos;
      if (!known) return base::invalid("Unknown character: '" + std::string{key} + "'");
      out += static_cast<char>(c & 0x1f);
    } else {
      return base::invalid("Unknown character: '" + std::string{key} + "'");
    }
  }
  return out;
}

bool DetachFilter::feed(std::string_view input, std::string& out) {
  for (const char c : input) {
    while (true) {
      if (c == sequence_[matched_]) {
        if (++matched_ == sequence_.size()) {
          matched_ = 0;
          return true;
        }
        break;
      }
      if (matched_ == 0) {
        out += c;
        break;
      }
      // Broken: the longest end of what was held back that still starts the sequence stays held.
      const std::string_view held = std::string_view{sequence_}.substr(0, matched_);
      std::size_t keep = matched_ - 1;
      while (keep > 0 && held.substr(matched_ - keep) != held.substr(0, keep)) --keep;
      out.append(held.substr(0, matched_ - keep));
      matched_ = keep;
    }
  }
  return false;
}

}  // namespace shim::detail
