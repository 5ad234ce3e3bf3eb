#pragma once
/// One SQLite connection with its compiled statements. One thread at a time.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace state {

namespace detail {
/// What SQLite said last on `handle`, as an Error whose kind follows state/database.h.
base::Error sqlite_error(sqlite3* handle, std::string_view what);
}  // namespace detail

class Connection {
 public:
  enum class Mode : std::uint8_t { Create, ReadWrite, ReadOnly };

  static base::Result<std::unique_ptr<Connection>> open(const std::string& path, Mode mode);
  explicit Connection(sqlite3* handle) : handle_{handle} {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  [[nodiscard]] sqlite3* handle() const { return handle_; }
  /// Statements without parameters and rows, several at once.
  base::Result<> run_script(std::string_view sql);
  /// One statement without parameters and rows that is run often.
  base::Result<> run(std::string_view sql);
  /// The first column of the first row.
  base::Result<std::int64_t> integer(std::string_view sql);

  /// A compiled statement for one use. Gives it back to the cache at the end.
  class Lent {
   public:
    /// `in_use` is the cache's note about the statement; without one it is dropped after use.
    Lent(sqlite3_stmt* statement, bool* in_use) : statement_{statement}, in_use_{in_use} {}
    Lent(Lent&& other) noexcept
        : statement_{std::exchange(other.statement_, nullptr)}, in_use_{other.in_use_} {}
    Lent& operator=(Lent&&) = delete;
    ~Lent();
    [[nodiscard]] sqlite3_stmt* get() const { return statement_; }

   private:
    sqlite3_stmt* statement_;
    bool* in_use_;
  };
  base::Result<Lent> prepare(std::string_view sql);

 private:
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool in_use = false;
  };

  sqlite3* handle_;
  std::map<std::string, Cached, std::less<>> statements_;  // nodes stay where they are
};

}  // namespace state
