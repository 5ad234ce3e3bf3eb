#pragma once
/// The engine's records: one SQLite file, `caisson.db` under the data root.
///
/// What is written where: each module owns the SQL of its own tables and calls `transaction` and
/// `read` here; the tables themselves stand together in `state/schema.cc`, which draws them.
///
///   TRY(database.transaction(Durability::ProcessDeath, [&](Transaction& transaction) -> Result<> {
///     TRY(transaction.execute("INSERT INTO containers (id, name, created, json) VALUES (?, ?, ?, ?)",
///                             {id, name, created, json}));
///     return {};
///   }));
///   TRY(database.read([&](Reader& reader) -> Result<> {
///     return reader.select("SELECT id, json FROM containers WHERE name = ?", {name},
///                          [&](const Row& row) -> Result<> { json = row.text(1); return {}; });
///   }));
///
/// Durability: the file is in WAL mode (https://www.sqlite.org/wal.html). A transaction of
/// `ProcessDeath` survives a killed process at once and a power cut as soon as the next one of
/// `PowerLoss` has committed (they share the log, so order is kept); one of `PowerLoss` is on the
/// disk when the call returns. Measured: 0.02 ms and 0.2 ms.
///
/// Threads: any. Writers wait for each other; readers see the last commit before they began and wait
/// for nobody. No slow work (network, fsync of data, another container) belongs inside a transaction.
///
/// Errors: Conflict (a UNIQUE or FOREIGN KEY constraint, errno_value 0), Unavailable (another process
/// holds the file), Internal with errno_value ENOSPC (disk full), Internal (damaged file).

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/digest.h"
#include "base/function_ref.h"
#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "sys/file.h"

struct sqlite3;
struct sqlite3_stmt;

namespace state {

using sys::Durability;

/// A parameter of a statement: NULL, an integer, or a text that outlives the call. Times are bound as
/// nanoseconds since 1970, digests and ids as their text, an empty optional as NULL.
class Value {
 public:
  Value(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  template <class Int>
    requires(std::is_integral_v<Int>)
  Value(Int value) : value_{static_cast<std::int64_t>(value)} {}      // NOLINT
  Value(std::string_view text) : value_{text} {}                      // NOLINT
  Value(const std::string& text) : value_{std::string_view{text}} {}  // NOLINT
  Value(const char* text) : value_{std::string_view{text}} {}         // NOLINT
  Value(const base::Digest& digest) : Value{digest.str()} {}          // NOLINT
  Value(base::Time time) : Value{time.time_since_epoch().count()} {}  // NOLINT
  template <class Noun>
  Value(const base::Id<Noun>& id) : Value{id.str()} {}  // NOLINT
  template <class T>
  Value(const std::optional<T>& maybe) {  // NOLINT
    if (maybe) *this = Value{*maybe};
  }

 private:
  friend class Queries;
  std::variant<std::monostate, std::int64_t, std::string_view> value_;
};
using Values = std::initializer_list<Value>;

/// The present row of a `select`; columns count from 0. SQLite converts types as it always does.
class Row {
 public:
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  /// For sizes and counts, which are never negative.
  [[nodiscard]] std::uint64_t size(int column) const;
  /// "" for NULL.
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<std::string> optional_text(int column) const;
  [[nodiscard]] base::Time time(int column) const;
  /// An empty digest for NULL. Errors: Internal when it is none.
  [[nodiscard]] base::Result<base::Digest> digest(int column) const;

 private:
  friend class Queries;
  explicit Row(sqlite3_stmt* statement) : statement_{statement} {}
  sqlite3_stmt* statement_;
};

class Connection;

/// What a Reader and a Transaction have in common. Statements are compiled once per connection and
/// kept: `sql` must be a literal or one of few texts.
class Queries {
 public:
  Queries(const Queries&) = delete;
  Queries& operator=(const Queries&) = delete;

  /// Calls `each` for each row, in the statement's order, until it fails.
  base::Result<> select(std::string_view sql, Values values,
                        base::FunctionRef<base::Result<>(const Row&)> each);
  /// Calls `row` for the first row and says whether there was one.
  base::Result<bool> select_one(std::string_view sql, Values values,
                                base::FunctionRef<base::Result<>(const Row&)> row);

 protected:
  explicit Queries(Connection& connection) : connection_{connection} {}
  ~Queries() = default;
  base::Result<std::int64_t> run(std::string_view sql, Values values);

  Connection& connection_;

 private:
  base::Result<> bind(sqlite3_stmt* statement, std::string_view sql, Values values);
};

class Reader final : public Queries {
 public:
  explicit Reader(Connection& connection) : Queries{connection} {}
};

class Transaction final : public Queries {
 public:
  explicit Transaction(Connection& connection) : Queries{connection} {}
  /// Runs an INSERT, UPDATE or DELETE and says how many rows it changed.
  base::Result<std::int64_t> execute(std::string_view sql, Values values = {}) { return run(sql, values); }
};

class Database {
 public:
  /// Opens or creates the file (0600) and brings its schema up to date, each migration in one
  /// transaction of `PowerLoss`. The folder must exist.
  /// Errors: Conflict for a schema newer than this program (nothing is changed then) and for a
  /// SQLite file of another program; Internal for a file that is no database.
  static base::Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs `body` and commits; a failure of `body` or of the commit rolls everything back and is
  /// returned. `body` must not call the Database again.
  base::Result<> transaction(Durability durability, base::FunctionRef<base::Result<>(Transaction&)> body);
  /// Runs `body` on one unchanging view of all tables.
  base::Result<> read(base::FunctionRef<base::Result<>(Reader&)> body);

  /// Small facts that belong to no table. "" when the key is not there.
  base::Result<std::string> meta(std::string_view key);
  base::Result<> set_meta(std::string_view key, std::string_view value, Durability durability);

  /// The version that `open` brings a database to.
  static int schema_version();

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace state
