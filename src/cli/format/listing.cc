#include "cli/format/listing.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/format/tab_writer.h"
#include "cli/template/template.h"

namespace cli {

using base::Result;

namespace {

/// "\t" and "\n" as a shell passes them.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 't' || next == 'n') {
      out += next == 't' ? '\t' : '\n';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view without_spaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string detail::label_heading(std::string_view name) {
  std::string out{name.substr(name.rfind('.') + 1)};
  std::ranges::replace_if(out, [](char c) { return c == '-' || c == '_'; }, ' ');
  return out;
}

ListingFormat resolve_format(std::string_view format, const ListingStyle& style, bool quiet) {
  if (quiet && (format.empty() || format == "table")) return {std::string{style.quiet}, false};
  if (format.empty() || format == "table") return {std::string{style.table}, true};
  if (format == "json") return {"{{json .}}", false};
  if (format == "raw" && !style.raw.empty()) {
    return {quiet ? fmt::format("{}: {}", style.raw.substr(0, style.raw.find(':')), style.quiet)
                  : std::string{style.raw},
            false};
  }
  const bool is_table = format.starts_with("table");
  if (is_table) format.remove_prefix(5);
  return {unescaped(without_spaces(format)), is_table};
}

Result<std::string> listing_text(const ListingFormat& format, std::span<const tmpl::Object* const> lines,
                                 const tmpl::Object& headings) {
  const auto parsed = TRY(tmpl::Template::parse("", format.text).context("failed to parse template"));
  std::string text;
  if (format.is_table) {
    TRY(parsed.execute(text, tmpl::Value{&headings}, tmpl::MissingKey::NoValue, tmpl::Functions::PassOn)
            .context("failed to execute template"));
    text += '\n';
  }
  for (const auto* line : lines) {
    TRY(parsed.execute(text, tmpl::Value{line}).context("failed to execute template"));
    text += '\n';
  }
  return format.is_table ? align_tabs(text) : text;
}

}  // namespace cli
