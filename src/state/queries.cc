#include <fmt/format.h>
#include <sqlite3.h>

#include "state/database.h"
#include "state/detail/connection.h"

namespace state {

using base::Result;

bool Row::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
std::int64_t Row::integer(int column) const { return sqlite3_column_int64(statement_, column); }
std::uint64_t Row::size(int column) const { return static_cast<std::uint64_t>(integer(column)); }

std::string Row::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::string> Row::optional_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

base::Time Row::time(int column) const { return base::Time{std::chrono::nanoseconds{integer(column)}}; }

Result<base::Digest> Row::digest(int column) const {
  if (is_null(column)) return base::Digest{};
  return base::Digest::parse(text(column)).as(base::ErrorKind::Internal);
}

Result<> Queries::bind(sqlite3_stmt* statement, std::string_view sql, Values values) {
  CAISSON_INVARIANT(sqlite3_bind_parameter_count(statement) == static_cast<int>(values.size()));
  int index = 0;
  for (const Value& value : values) {
    ++index;
    int status = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&value.value_)) {
      status = sqlite3_bind_int64(statement, index, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&value.value_)) {
      // A null pointer would be bound as NULL, and an empty view may have one.
      const char* bytes = text->data() != nullptr ? text->data() : "";
      status = sqlite3_bind_text64(statement, index, bytes, text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else {
      status = sqlite3_bind_null(statement, index);
    }
    if (status != SQLITE_OK) return detail::sqlite_error(connection_.handle(), fmt::format("bind {}", sql));
  }
  return {};
}

Result<> Queries::select(std::string_view sql, Values values, base::FunctionRef<Result<>(const Row&)> each) {
  const Connection::Lent statement = TRY(connection_.prepare(sql));
  TRY(bind(statement.get(), sql, values));
  while (true) {
    const int status = sqlite3_step(statement.get());
    if (status == SQLITE_DONE) return {};
    if (status != SQLITE_ROW) return detail::sqlite_error(connection_.handle(), sql);
    TRY(each(Row{statement.get()}));
  }
}

Result<bool> Queries::select_one(std::string_view sql, Values values,
                                 base::FunctionRef<Result<>(const Row&)> row) {
  const Connection::Lent statement = TRY(connection_.prepare(sql));
  TRY(bind(statement.get(), sql, values));
  const int status = sqlite3_step(statement.get());
  if (status == SQLITE_DONE) return false;
  if (status != SQLITE_ROW) return detail::sqlite_error(connection_.handle(), sql);
  TRY(row(Row{statement.get()}));
  return true;
}

Result<std::int64_t> Queries::run(std::string_view sql, Values values) {
  const Connection::Lent statement = TRY(connection_.prepare(sql));
  TRY(bind(statement.get(), sql, values));
  const int status = sqlite3_step(statement.get());
  if (status == SQLITE_ROW) return base::internal(fmt::format("{}: has rows, use select", sql));
  if (status != SQLITE_DONE) return detail::sqlite_error(connection_.handle(), sql);
  return sqlite3_changes64(connection_.handle());
}

}  // namespace state
