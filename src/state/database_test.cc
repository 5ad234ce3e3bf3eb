#include "state/database.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

namespace state {
namespace {

using base::ErrorKind;
using base::Result;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    std::string name = testing::TempDir() + "/caisson-state-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    path_ = dir_ + "/caisson.db";
  }
  ~DatabaseTest() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, dir_)); }

  static Result<> insert(Database& database, const std::string& id, const std::string& name,
                         Durability durability = Durability::ProcessDeath) {
    return database.transaction(durability, [&](Transaction& transaction) -> Result<> {
      TRY(transaction.execute("INSERT INTO containers (id, name, created, json) VALUES (?, ?, ?, ?)",
                              {id, name, base::now(), "{}"}));
      return {};
    });
  }
  static std::vector<std::string> names(Database& database) {
    std::vector<std::string> out;
    EXPECT_TRUE(database.read([&](Reader& reader) {
      return reader.select("SELECT name FROM containers ORDER BY name", {}, [&](const Row& row) -> Result<> {
        out.push_back(row.text(0));
        return {};
      });
    }));
    return out;
  }

  std::string dir_, path_;
};

using Names = std::vector<std::string>;

TEST_F(DatabaseTest, KeepsWhatWasCommitted) {
  {
    const auto database = Database::open(path_).value();
    ASSERT_TRUE(insert(*database, "1", "one"));
    ASSERT_TRUE(insert(*database, "2", "two", Durability::PowerLoss));
  }
  const auto database = Database::open(path_).value();
  EXPECT_EQ(names(*database), (Names{"one", "two"}));
  EXPECT_EQ(sys::stat_at(sys::kCwd, path_)->st_mode & 0777U, 0600U);
}

TEST_F(DatabaseTest, FailureOfTheBodyRollsBack) {
  const auto database = Database::open(path_).value();
  const auto result = database->transaction(Durability::PowerLoss, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.execute(
        "INSERT INTO volumes (name, driver, created, json) VALUES ('v', 'local', 0, '')"));
    return base::not_found("no such thing");
  });
  EXPECT_TRUE(result.failed_as(ErrorKind::NotFound));
  ASSERT_TRUE(database->read([&](Reader& reader) -> Result<> {
    EXPECT_FALSE(
        TRY(reader.select_one("SELECT 1 FROM volumes", {}, [](const Row&) -> Result<> { return {}; })));
    return {};
  }));
}

TEST_F(DatabaseTest, ExceptionsRollBackToo) {
  const auto database = Database::open(path_).value();
  EXPECT_THROW(base::ignore(database->transaction(Durability::ProcessDeath,
                                                  [](Transaction&) -> Result<> { throw std::bad_alloc{}; }),
                            "it throws"),
               std::bad_alloc);
  EXPECT_TRUE(insert(*database, "1", "one"));
}

TEST_F(DatabaseTest, ConstraintsAreConflicts) {
  const auto database = Database::open(path_).value();
  ASSERT_TRUE(insert(*database, "1", "one"));
  const auto twice = insert(*database, "2", "one");
  ASSERT_TRUE(twice.failed_as(ErrorKind::Conflict));
  EXPECT_NE(twice.error().message().find("containers.name"), std::string::npos);
  const auto orphan =
      database->transaction(Durability::ProcessDeath, [](Transaction& transaction) -> Result<> {
        TRY(
            transaction.execute("INSERT INTO image_refs (reference, image_id, manifest, created, updated) "
                                "VALUES ('r', 'none', '', 0, 0)"));
        return {};
      });
  EXPECT_TRUE(orphan.failed_as(ErrorKind::Conflict));
}

TEST_F(DatabaseTest, EveryKindOfValueComesBack) {
  const auto database = Database::open(path_).value();
  const base::Time time{std::chrono::nanoseconds{1'700'000'000'123'456'789}};
  const auto digest = base::Digest::sha256(std::string(64, 'a'));
  const std::optional<std::string> none;
  ASSERT_TRUE(database->transaction(Durability::ProcessDeath, [&](Transaction& transaction) -> Result<> {
    TRY(transaction.select("SELECT ?, ?, ?, ?, ?, ?, ?",
                           {time, digest, none, std::string_view{}, -5, std::uint64_t{1} << 62U, true},
                           [&](const Row& row) -> Result<> {
                             EXPECT_EQ(row.time(0), time);
                             EXPECT_EQ(row.digest(1).value(), digest);
                             EXPECT_TRUE(row.is_null(2));
                             EXPECT_EQ(row.optional_text(2), std::nullopt);
                             EXPECT_TRUE(row.digest(2)->empty());
                             EXPECT_FALSE(row.is_null(3));
                             EXPECT_EQ(row.text(3), "");
                             EXPECT_EQ(row.integer(4), -5);
                             EXPECT_EQ(row.size(5), std::uint64_t{1} << 62U);
                             EXPECT_EQ(row.integer(6), 1);
                             EXPECT_TRUE(row.digest(4).failed_as(ErrorKind::Internal));
                             return {};
                           }));
    return {};
  }));
}

TEST_F(DatabaseTest, TextMayHoldAnyByte) {
  const auto database = Database::open(path_).value();
  using namespace std::string_literals;
  const std::string odd = "a\0b'\"\n"s;
  ASSERT_TRUE(database->set_meta("odd", odd, Durability::ProcessDeath));
  EXPECT_EQ(database->meta("odd").value(), odd);
  EXPECT_EQ(database->meta("missing").value(), "");
}

TEST_F(DatabaseTest, TheSameStatementNestsInItself) {
  const auto database = Database::open(path_).value();
  ASSERT_TRUE(insert(*database, "1", "one"));
  ASSERT_TRUE(insert(*database, "2", "two"));
  int pairs = 0;
  ASSERT_TRUE(database->read([&](Reader& reader) {
    constexpr const char* kSql = "SELECT id FROM containers";
    return reader.select(kSql, {}, [&](const Row&) {
      return reader.select(kSql, {}, [&](const Row&) -> Result<> {
        ++pairs;
        return {};
      });
    });
  }));
  EXPECT_EQ(pairs, 4);
}

TEST_F(DatabaseTest, AReaderSeesOneViewAndWaitsForNobody) {
  const auto database = Database::open(path_).value();
  ASSERT_TRUE(insert(*database, "1", "one"));
  ASSERT_TRUE(database->read([&](Reader& reader) -> Result<> {
    const auto count = [&] {
      std::int64_t found = 0;
      EXPECT_TRUE(reader.select("SELECT count(*) FROM containers", {}, [&](const Row& row) -> Result<> {
        found = row.integer(0);
        return {};
      }));
      return found;
    };
    EXPECT_EQ(count(), 1);
    EXPECT_TRUE(insert(*database, "2", "two"));
    EXPECT_EQ(count(), 1);
    return {};
  }));
  EXPECT_EQ(names(*database).size(), 2U);
}

TEST_F(DatabaseTest, WritersOfManyThreadsAllSucceed) {
  const auto database = Database::open(path_).value();
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 50; ++i) {
        const std::string id = std::to_string(thread * 1000 + i);
        EXPECT_TRUE(
            insert(*database, id, id, i % 10 == 0 ? Durability::PowerLoss : Durability::ProcessDeath));
        EXPECT_FALSE(names(*database).empty());
      }
    });
  }
  threads.clear();
  EXPECT_EQ(names(*database).size(), 200U);
}

TEST_F(DatabaseTest, ASecondProcessMayWrite) {
  const auto first = Database::open(path_).value();
  const auto second = Database::open(path_).value();
  ASSERT_TRUE(insert(*first, "1", "one"));
  ASSERT_TRUE(insert(*second, "2", "two"));
  EXPECT_EQ(names(*first), (Names{"one", "two"}));
}

TEST_F(DatabaseTest, RefusesANewerSchemaUntouched) {
  {
    ASSERT_TRUE(Database::open(path_));
  }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
  sqlite3_exec(raw, "PRAGMA user_version = 4711", nullptr, nullptr, nullptr);
  sqlite3_close(raw);
  const auto before = sys::read_file(sys::kCwd, path_).value();
  const auto result = Database::open(path_);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(ErrorKind::Conflict));
  EXPECT_NE(result.error().message().find("schema version 4711"), std::string::npos)
      << result.error().message();
  EXPECT_EQ(sys::read_file(sys::kCwd, path_).value(), before);
}

TEST_F(DatabaseTest, RefusesFilesOfOthers) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
  sqlite3_exec(raw, "CREATE TABLE theirs (x)", nullptr, nullptr, nullptr);
  sqlite3_close(raw);
  EXPECT_TRUE(Database::open(path_).failed_as(ErrorKind::Conflict));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, dir_ + "/text", std::string(5000, 'x')));
  const auto text = Database::open(dir_ + "/text");
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message().find("not a database"), std::string::npos) << text.error().message();
  EXPECT_TRUE(Database::open(dir_ + "/missing/x.db").failed_as(ErrorKind::NotFound));
}

TEST_F(DatabaseTest, AFullDiskIsNamedAndRollsBack) {
  const auto database = Database::open(path_).value();
  ASSERT_TRUE(insert(*database, "1", "one"));
  const auto result =
      database->transaction(Durability::ProcessDeath, [](Transaction& transaction) -> Result<> {
        TRY(transaction.select("PRAGMA max_page_count = 60", {}, [](const Row&) -> Result<> { return {}; }));
        TRY(transaction.execute("INSERT INTO containers VALUES ('2', 'two', 0, ?)",
                                {std::string(1 << 20U, 'x')}));
        return {};
      });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().errno_value(), ENOSPC) << result.error().message();
  EXPECT_EQ(names(*database), (Names{"one"}));
}

#ifdef CAISSON_FAULTS
/// Runs `body` in a child that dies at `point`.
template <class F>
void crash_at(const char* point, F body) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::setenv("CAISSON_CRASH_AT", point, 1);
    body();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point << " was not reached";
}

TEST_F(DatabaseTest, KilledBeforeTheCommitNothingAfterItAll) {
  {
    ASSERT_TRUE(Database::open(path_));
  }
  const auto insert_one = [&] {
    base::ignore(insert(*Database::open(path_).value(), "1", "one"), "it dies");
  };
  crash_at("state.commit.before", insert_one);
  EXPECT_EQ(names(*Database::open(path_).value()), Names{});
  crash_at("state.commit.after", insert_one);
  EXPECT_EQ(names(*Database::open(path_).value()), Names{"one"});
}

TEST_F(DatabaseTest, KilledDuringTheFirstOpenTheNextOneStartsOver) {
  crash_at("state.migrate.before_commit", [&] { base::ignore(Database::open(path_), "it dies"); });
  EXPECT_TRUE(insert(*Database::open(path_).value(), "1", "one"));
}

TEST_F(DatabaseTest, AFailedCommitRollsBack) {
  const auto database = Database::open(path_).value();
  ::setenv("CAISSON_FAULT", "state.commit:EIO", 1);
  const auto result = insert(*database, "1", "one");
  ::unsetenv("CAISSON_FAULT");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().errno_value(), EIO);
  EXPECT_EQ(names(*database), Names{});
}
#endif

}  // namespace
}  // namespace state
