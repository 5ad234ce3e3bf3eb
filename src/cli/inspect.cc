#include "cli/inspect.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/template/template.h"
#include "spec/engine/container_state.h"
#include "spec/engine/image.h"

namespace cli {

using base::Result;

namespace {

constexpr int kBadTemplate = 64;

/// JSON as docker's client writes it for people: without Go's escapes of <, > and &.
std::string plain(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view escape = std::string_view{json}.substr(i, 6);
    const char c = escape == "\\u003c" ? '<' : escape == "\\u003e" ? '>' : escape == "\\u0026" ? '&' : '\0';
    if (c != '\0') {
      out += c;
      i += 5;
    } else {
      out += json[i];
      if (json[i] == '\\' && i + 1 < json.size()) out += json[++i];
    }
  }
  return out;
}

template <class T>
std::optional<tmpl::Value> typed_value(const codec::Json& raw) {
  const auto object = codec::from_json<T>(raw);
  if (!object) return std::nullopt;
  return tmpl::value_of(*object);
}

Result<> execute(const tmpl::Template& format, const Inspected& object, std::string& out) {
  const std::size_t before = out.size();
  if (object.typed && format.execute(out, *object.typed)) return {};
  out.resize(before);
  return format.execute(out, tmpl::Value::of(object.raw), tmpl::MissingKey::Error);
}

std::string as_array(const std::vector<Inspected>& objects, bool compact) {
  codec::Json array{codec::Json::Array{}};
  for (const auto& object : objects) array.push(object.raw);
  if (objects.empty()) return "[]\n";
  const std::string text = (compact ? array.dump() : array.dump_pretty()) + "\n";
  return objects.front().escaped ? text : plain(text);
}

}  // namespace

Inspected inspected_container(codec::Json raw) {
  auto typed = typed_value<spec::api::ContainerInspect>(raw);
  return {std::move(raw), std::move(typed)};
}

Inspected inspected_image(codec::Json raw) {
  auto typed = typed_value<spec::api::ImageInspect>(raw);
  return {std::move(raw), std::move(typed)};
}

Result<int> print_inspected(Cli& cli, const std::vector<std::string>& names, const std::string& format,
                            base::FunctionRef<Result<Inspected>(const std::string&)> find) {
  const bool by_template = !format.empty() && format != "json";
  std::optional<tmpl::Template> parsed;
  if (by_template) {
    auto result = tmpl::Template::parse("", format);
    if (!result) {
      cli.err().line("template parsing error: {}", result.error().message());
      return kBadTemplate;
    }
    parsed.emplace(std::move(*result));
  }
  std::vector<Inspected> objects;
  std::vector<std::string> errors;
  std::string text;
  for (const auto& name : names) {
    auto object = find(name);
    if (!object) {
      errors.push_back(object.error().message());
      continue;
    }
    if (parsed) {
      if (const auto done = execute(*parsed, *object, text); !done) {
        errors.push_back("template parsing error: " + done.error().message());
        break;
      }
      text += '\n';
    } else {
      objects.push_back(std::move(*object));
    }
  }
  cli.out().write(parsed ? text.empty() ? "\n" : text : as_array(objects, format == "json"));
  for (const auto& error : errors) cli.err().line("{}", error);
  return errors.empty() ? 0 : 1;
}

}  // namespace cli
