#pragma once
/// docker's listings: one line per item, as a table, by a template or as JSON. Source: docker's page
/// "Format command and log output".

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "cli/output.h"
#include "cli/template/value.h"
#include "codec/json.h"

namespace cli {

/// What a template and JSON see: a text, or a truth that is written as "true" or "false".
enum class ColumnType : bool { Text, Bool };

/// One field that a template can name, and its heading in a table.
template <class Item>
struct Column {
  std::string_view name;
  std::string_view heading;
  std::string (*text)(const Item& item);
  ColumnType type = ColumnType::Text;
};

/// What a noun's listing looks like.
struct ListingStyle {
  std::string_view table;  ///< the template of its table, without "table "
  std::string_view raw;    ///< of `--format raw`
  std::string_view quiet;  ///< of --quiet
  std::string_view type;   ///< Go's name of the lines' type, for messages
};

/// The template that is meant: "table", "json", "raw" and "" are names. `is_table` tells what it is for.
struct ListingFormat {
  std::string text;
  bool is_table;
};
[[nodiscard]] ListingFormat resolve_format(std::string_view format, const ListingStyle& style, bool quiet);

/// All lines. Errors: InvalidArgument, "failed to parse template: …".
base::Result<std::string> listing_text(const ListingFormat& format, std::span<const tmpl::Object* const> lines,
                                       const tmpl::Object& headings);

namespace detail {

/// The labels of a line, for `.Label "name"`.
[[nodiscard]] std::string label_heading(std::string_view name);

template <class Item>
class Line final : public tmpl::Object {
 public:
  Line(const Item& item, std::span<const Column<Item>> columns, std::string_view type)
      : item_{item}, columns_{columns}, type_{type} {}

  [[nodiscard]] base::Result<std::optional<tmpl::Value>> field(
      std::string_view name, std::span<const tmpl::Value> arguments) const override {
    using Answer = std::optional<tmpl::Value>;
    if constexpr (requires { item_.label(std::string_view{}); }) {
      if (name == "Label" && arguments.size() == 1 && arguments[0].kind() == tmpl::Value::Kind::String) {
        return Answer{tmpl::Value{item_.label(arguments[0].as_string())}};
      }
    }
    for (const auto& column : columns_) {
      if (column.name != name) continue;
      auto text = column.text(item_);
      return Answer{column.type == ColumnType::Bool ? tmpl::Value{text == "true"} : tmpl::Value{std::move(text)}};
    }
    return Answer{};
  }
  [[nodiscard]] codec::Json json() const override {
    codec::Json out{codec::Json::Object{}};
    for (const auto& column : columns_) {
      auto text = column.text(item_);
      out.set(column.name, column.type == ColumnType::Bool ? codec::Json{text == "true"} : codec::Json{std::move(text)});
    }
    return out;
  }
  [[nodiscard]] std::string_view type_name() const override { return type_; }

 private:
  const Item& item_;
  std::span<const Column<Item>> columns_;
  std::string_view type_;
};

template <class Item>
class Headings final : public tmpl::Object {
 public:
  explicit Headings(std::span<const Column<Item>> columns) : columns_{columns} {}
  [[nodiscard]] base::Result<std::optional<tmpl::Value>> field(
      std::string_view name, std::span<const tmpl::Value> arguments) const override {
    using Answer = std::optional<tmpl::Value>;
    if (name == "Label" && arguments.size() == 1) {
      return Answer{tmpl::Value{label_heading(arguments[0].printed())}};
    }
    for (const auto& column : columns_) {
      // A column without a heading is no value, which is not true.
      if (column.name == name) return Answer{column.heading.empty() ? tmpl::Value{} : tmpl::Value{column.heading}};
    }
    return Answer{tmpl::Value{"<no value>"}};
  }
  [[nodiscard]] codec::Json json() const override { return {}; }
  [[nodiscard]] std::string_view type_name() const override { return "formatter.SubHeaderContext"; }

 private:
  std::span<const Column<Item>> columns_;
};

}  // namespace detail

/// `columns` stand sorted by name, as JSON shows them. An Item with `label(name)` has `.Label`.
template <class Item>
base::Result<std::string> items_text(const ListingFormat& format, const ListingStyle& style,
                                     std::span<const Column<Item>> columns, const std::vector<Item>& items) {
  std::vector<detail::Line<Item>> lines;
  lines.reserve(items.size());
  for (const auto& item : items) lines.emplace_back(item, columns, style.type);
  std::vector<const tmpl::Object*> pointers;
  for (const auto& line : lines) pointers.push_back(&line);
  const detail::Headings<Item> headings{columns};
  return listing_text(format, pointers, headings);
}

template <class Item>
base::Result<> print_items(Output& out, const ListingFormat& format, const ListingStyle& style,
                           std::span<const Column<Item>> columns, const std::vector<Item>& items) {
  out.write(TRY(items_text(format, style, columns, items)));
  return {};
}

}  // namespace cli
