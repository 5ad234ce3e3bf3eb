#include "state/database.h"

#include <mutex>
#include <vector>

#include <sys/stat.h>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/log.h"
#include "base/scope_guard.h"
#include "state/detail/connection.h"
#include "state/detail/schema.h"
#include "sys/crash_point.h"

namespace state {

using base::Result;

/// Readers are kept for the next read, but not more of them than threads usually read at once.
constexpr std::size_t kIdleReaders = 4;

struct Database::State {
  std::string path;

  std::mutex writing;  // guards writer and durability, for the length of a transaction
  std::unique_ptr<Connection> writer;
  Durability durability = Durability::PowerLoss;  // what the writer is set to

  std::mutex idle_mutex;  // guards idle
  std::vector<std::unique_ptr<Connection>> idle;

  Result<std::unique_ptr<Connection>> borrow_reader() {
    {
      const std::scoped_lock lock{idle_mutex};
      if (!idle.empty()) {
        auto reader = std::move(idle.back());
        idle.pop_back();
        return reader;
      }
    }
    return Connection::open(path, Connection::Mode::ReadOnly);
  }

  void give_back(std::unique_ptr<Connection> reader) {
    const std::scoped_lock lock{idle_mutex};
    if (idle.size() < kIdleReaders) idle.push_back(std::move(reader));
  }
};

namespace {

/// Rolls back what is open at the end of the scope.
void roll_back(Connection& connection) {
  if (sqlite3_get_autocommit(connection.handle()) != 0) return;
  if (const auto done = connection.run("ROLLBACK"); !done) {
    base::log::error("database: {}", done.error().message());
  }
}

/// Refuses what is not ours or too new, before anything is written.
Result<> check_ownership(Connection& connection, const std::string& path) {
  const auto application = TRY(connection.integer("PRAGMA application_id"));
  const auto version = TRY(connection.integer("PRAGMA user_version"));
  const auto tables = TRY(connection.integer("SELECT count(*) FROM sqlite_schema"));
  const bool fresh = application == 0 && version == 0 && tables == 0;
  if (!fresh && application != detail::kApplicationId) {
    return base::conflict(fmt::format("{} is a database of another program", path));
  }
  if (version > Database::schema_version()) {
    return base::conflict(
        fmt::format("{} has schema version {}, this program knows versions up to {}: it was last used by a "
                    "newer caisson. Use that version, or another --data-root",
                    path, version, Database::schema_version()));
  }
  return {};
}

Result<> migrate(Connection& connection, const std::string& path) {
  for (const auto& migration : detail::migrations()) {
    TRY(connection.run_script("BEGIN EXCLUSIVE"));
    const base::ScopeGuard undo{[&] { roll_back(connection); }};
    // Inside the transaction, since another process may have migrated meanwhile.
    if (TRY(connection.integer("PRAGMA user_version")) >= migration.to) continue;
    TRY(connection.run_script(migration.sql)
            .context(fmt::format("migrate {} to version {}", path, migration.to)));
    TRY(connection.run_script(fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {};",
                                          migration.to, detail::kApplicationId)));
    CRASH_POINT("state.migrate.before_commit");
    TRY(connection.run_script("COMMIT"));
  }
  return {};
}

}  // namespace

Database::Database(std::unique_ptr<State> state) : state_{std::move(state)} {}
Database::~Database() = default;

int Database::schema_version() { return detail::migrations().back().to; }

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  // SQLite would create it readable for others; its -wal and -shm files take over this mode.
  TRY(sys::open_at(sys::kCwd, path, O_RDWR | O_CREAT, 0600).context("database"));
  state->writer = TRY(Connection::open(path, Connection::Mode::Create));
  TRY(check_ownership(*state->writer, path));
  TRY(state->writer->run_script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").context(path));
  TRY(migrate(*state->writer, path));
  return std::unique_ptr<Database>{new Database{std::move(state)}};
}

Result<> Database::transaction(Durability durability, base::FunctionRef<Result<>(Transaction&)> body) {
  const std::scoped_lock lock{state_->writing};
  Connection& writer = *state_->writer;
  if (durability != state_->durability) {
    TRY(writer.run_script(durability == Durability::PowerLoss ? "PRAGMA synchronous = FULL"
                                                              : "PRAGMA synchronous = NORMAL"));
    state_->durability = durability;
  }
  TRY(writer.run("BEGIN IMMEDIATE"));
  const base::ScopeGuard undo{[&] { roll_back(writer); }};
  Transaction transaction{writer};
  TRY(body(transaction));
  TRY(sys::inject("state.commit"));
  CRASH_POINT("state.commit.before");
  TRY(writer.run("COMMIT"));
  CRASH_POINT("state.commit.after");
  return {};
}

Result<> Database::read(base::FunctionRef<Result<>(Reader&)> body) {
  auto connection = TRY(state_->borrow_reader());
  TRY(connection->run("BEGIN"));
  Reader reader{*connection};
  auto result = body(reader);
  roll_back(*connection);
  state_->give_back(std::move(connection));
  return result;
}

Result<std::string> Database::meta(std::string_view key) {
  std::string value;
  TRY(read([&](Reader& reader) -> Result<> {
    TRY(reader.select_one("SELECT value FROM meta WHERE key = ?", {key}, [&](const Row& row) -> Result<> {
      value = row.text(0);
      return {};
    }));
    return {};
  }));
  return value;
}

Result<> Database::set_meta(std::string_view key, std::string_view value, Durability durability) {
  return transaction(durability, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", {key, value}));
    return {};
  });
}

}  // namespace state
