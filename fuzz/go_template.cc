/// Go templates as --format takes them: whatever is written there, the parser and the executor end, with
/// output or with an error, and the same text gives the same result twice.
///
/// Input: the template.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/template/template.h"

namespace {

using cli::tmpl::Template;
using cli::tmpl::Value;

constexpr std::size_t kMaxOutput = std::size_t{1} << 20U;

const Value& data() {
  static const Value value = [] {
    const auto json = codec::Json::parse(
        R"({"Name": "web", "N": 3, "On": true, "None": null, "List": ["a", "b"], "Map": {"k": {"v": 1}}, "F": 1.5})");
    if (!json) std::abort();
    return Value::of(*json);
  }();
  return value;
}

std::string run(std::string_view text) {
  const auto parsed = Template::parse("", text);
  if (!parsed) return parsed.error().message();
  std::string out;
  if (const auto done = parsed->execute(out, data()); !done) out += done.error().message();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  // A template may print much on purpose, as in Go: widths, padding, nested ranges over a number.
  for (std::size_t digits = 0; const char c : text) {
    const bool digit = (c >= '0' && c <= '9') || c == 'x' || c == 'b' || c == '_' || c == 'e';
    digits = digit ? digits + 1 : 0;
    if (digits > 3) return 0;
  }
  if (const auto range = text.find("range"); range != std::string_view::npos) {
    if (text.find("range", range + 1) != std::string_view::npos) return 0;
  }
  const std::string first = run(text);
  if (first.size() < kMaxOutput && run(text) != first) std::abort();
  return 0;
}
