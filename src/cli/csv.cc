#include "cli/csv.h"

#include <fmt/format.h>

namespace cli {

base::Result<std::vector<std::string>> parse_csv(std::string_view text) {
  if (text.empty()) return base::invalid("EOF");
  const std::string_view whole = text;
  const auto bad = [&](std::string_view why) {
    const auto column = static_cast<std::size_t>(text.data() - whole.data()) + 1;
    return base::invalid(fmt::format("parse error on line 1, column {}: {}", column, why));
  };
  std::vector<std::string> fields;
  while (true) {
    std::string field;
    if (text.starts_with('"')) {
      text.remove_prefix(1);
      while (true) {
        const auto quote = text.find('"');
        if (quote == std::string_view::npos) {
          text.remove_prefix(text.size());
          return bad("extraneous or missing \" in quoted-field");
        }
        field += text.substr(0, quote);
        text.remove_prefix(quote + 1);
        if (!text.starts_with('"')) break;
        field += '"';
        text.remove_prefix(1);
      }
      if (!text.empty() && text.front() != ',') return bad("extraneous or missing \" in quoted-field");
    } else {
      field = text.substr(0, text.find(','));
      if (const auto quote = field.find('"'); quote != std::string::npos) {
        text.remove_prefix(quote);
        return bad("bare \" in non-quoted field");
      }
      text.remove_prefix(field.size());
    }
    fields.push_back(std::move(field));
    if (text.empty()) return fields;
    text.remove_prefix(1);
  }
}

}  // namespace cli
