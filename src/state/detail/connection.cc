#include "state/detail/connection.h"

#include <cerrno>

#include <fmt/format.h>
#include <sqlite3.h>

#include "state/database.h"

namespace state {

using base::Error;
using base::ErrorKind;
using base::Result;

namespace detail {

Error sqlite_error(sqlite3* handle, std::string_view what) {
  const int code = sqlite3_extended_errcode(handle);
  const int os_error = sqlite3_system_errno(handle);
  std::string message = fmt::format("{}: {}", what, sqlite3_errmsg(handle));
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return base::conflict(std::move(message));
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return base::unavailable(message + " (another process is using it)");
    case SQLITE_FULL: return {ErrorKind::Internal, ENOSPC, fmt::format("{}: no space left on device", what)};
    case SQLITE_READONLY:
    case SQLITE_PERM: return {ErrorKind::PermissionDenied, os_error, std::move(message)};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return base::internal(message + "; restore the file from a backup, or move it away to start anew");
    case SQLITE_IOERR:
      if (os_error != 0) return {ErrorKind::Internal, os_error, message + ": " + base::errno_text(os_error)};
      break;
    case SQLITE_CANTOPEN:
      if (os_error != 0) return Error::from_errno(os_error, message);
      break;
    default: break;
  }
  return base::internal(std::move(message));
}

}  // namespace detail

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == Mode::Create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int status = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  auto connection = std::make_unique<Connection>(handle);
  if (status != SQLITE_OK) return detail::sqlite_error(handle, "open " + path);
  sqlite3_busy_timeout(handle, 10'000);
  // The page cache is small on purpose: the whole database is in the kernel's cache anyway.
  TRY(connection->run_script("PRAGMA foreign_keys = ON; PRAGMA cache_size = -512;").context("open " + path));
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, cached] : statements_) sqlite3_finalize(cached.statement);
  sqlite3_close(handle_);
}

Result<> Connection::run_script(std::string_view sql) {
  const std::string text{sql};
  if (sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return detail::sqlite_error(handle_, text.size() < 80 ? text : "run the script");
  }
  return {};
}

Result<> Connection::run(std::string_view sql) {
  const Lent statement = TRY(prepare(sql));
  if (sqlite3_step(statement.get()) != SQLITE_DONE) return detail::sqlite_error(handle_, sql);
  return {};
}

Result<std::int64_t> Connection::integer(std::string_view sql) {
  const Lent statement = TRY(prepare(sql));
  if (sqlite3_step(statement.get()) != SQLITE_ROW) return detail::sqlite_error(handle_, sql);
  return sqlite3_column_int64(statement.get(), 0);
}

Result<Connection::Lent> Connection::prepare(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end() && !found->second.in_use) {
    found->second.in_use = true;
    return Lent{found->second.statement, &found->second.in_use};
  }
  // A select whose callback runs the same text again gets a statement of its own.
  const bool keep = found == statements_.end();
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                         keep ? SQLITE_PREPARE_PERSISTENT : 0U, &statement, nullptr) != SQLITE_OK) {
    return detail::sqlite_error(handle_, fmt::format("compile {}", sql));
  }
  if (!keep) return Lent{statement, nullptr};
  Cached& cached = statements_.emplace(std::string{sql}, Cached{statement, true}).first->second;
  return Lent{statement, &cached.in_use};
}

Connection::Lent::~Lent() {
  if (statement_ == nullptr) return;
  if (in_use_ == nullptr) {
    sqlite3_finalize(statement_);
    return;
  }
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  *in_use_ = false;
}

}  // namespace state
