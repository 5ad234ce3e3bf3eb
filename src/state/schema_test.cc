/// Old databases open, and what stood in them is found again.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "state/database.h"
#include "state/detail/schema.h"

namespace state {
namespace {

using base::Result;

class SchemaTest : public testing::TestWithParam<int> {
 protected:
  SchemaTest() {
    std::string name = testing::TempDir() + "/caisson-schema-XXXXXX";
    dir_ = ::mkdtemp(name.data());
  }
  ~SchemaTest() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, dir_)); }

  /// The stored database of version GetParam(), as a file.
  std::string restore() {
    const std::string dump =
        sys::read_file(sys::kCwd, std::string{STATE_TESTDATA} + "/v" + std::to_string(GetParam()) + ".sql")
            .value();
    const std::string path = dir_ + "/caisson.db";
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, dump.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
    sqlite3_close(raw);
    return path;
  }

  static std::string schema_of(Database& database) {
    std::string text;
    EXPECT_TRUE(database.read([&](Reader& reader) {
      return reader.select(
          "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY "
          "name",
          {}, [&](const Row& row) -> Result<> {
            text += row.text(0) + ": " + row.text(1) + "\n";
            return {};
          });
    }));
    return text;
  }

  std::string dir_;
};

std::vector<int> all_versions() {
  std::vector<int> versions;
  for (const auto& migration : detail::migrations()) versions.push_back(migration.to);
  return versions;
}
INSTANTIATE_TEST_SUITE_P(Versions, SchemaTest, testing::ValuesIn(all_versions()));

TEST_P(SchemaTest, OldDatabaseOpensWithItsRows) {
  const auto database = Database::open(restore()).value();
  const auto value_of = [&](std::string_view sql) {
    std::string text = "(no row)";
    EXPECT_TRUE(database->read([&](Reader& reader) -> Result<> {
      TRY(reader.select_one(sql, {}, [&](const Row& row) -> Result<> {
        text = row.text(0);
        return {};
      }));
      return {};
    })) << sql;
    return text;
  };
  EXPECT_EQ(value_of("SELECT name FROM containers WHERE id = 'c1'"), "web");
  EXPECT_EQ(value_of("SELECT json FROM containers WHERE id = 'c1'"), R"({"Image":"busybox"})");
  EXPECT_EQ(value_of("SELECT image_id FROM image_refs WHERE reference = 'docker.io/library/busybox:latest'"),
            "sha256:i1");
  EXPECT_EQ(value_of("SELECT chain_id FROM image_layers WHERE image_id = 'sha256:i1' AND position = 1"),
            "sha256:l2");
  EXPECT_EQ(value_of("SELECT parent FROM layers WHERE chain_id = 'sha256:l2'"), "sha256:l1");
  EXPECT_EQ(value_of("SELECT number FROM snapshots WHERE key = 'c1'"), "3");
  EXPECT_EQ(value_of("SELECT address FROM endpoints WHERE container_id = 'c1'"), "172.17.0.2");
  EXPECT_EQ(value_of("SELECT driver FROM volumes WHERE name = 'data'"), "local");
  EXPECT_EQ(value_of("SELECT action FROM events WHERE actor = 'c1'"), "create");
  EXPECT_EQ(value_of("SELECT value FROM meta WHERE key = 'note'"), "v1");
  EXPECT_EQ(value_of("PRAGMA foreign_key_check"), "(no row)");
  EXPECT_EQ(value_of("PRAGMA user_version"), std::to_string(Database::schema_version()));
}

TEST_P(SchemaTest, MigratedAndNewDatabasesHaveTheSameSchema) {
  const auto fresh = Database::open(dir_ + "/fresh.db").value();
  const auto old = Database::open(restore()).value();
  EXPECT_EQ(schema_of(*old), schema_of(*fresh));
}

}  // namespace
}  // namespace state
