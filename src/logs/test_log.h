#pragma once
/// For tests: a log in a directory of its own.

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "logs/driver.h"
#include "logs/reader.h"
#include "sys/file.h"

namespace logs {

class TestLog {
 public:
  TestLog() {
    std::string name = testing::TempDir() + "logs-XXXXXX";
    directory = ::mkdtemp(name.data());
    config.path = directory + "/log";
  }
  TestLog(const TestLog&) = delete;
  TestLog& operator=(const TestLog&) = delete;
  ~TestLog() { base::ignore(sys::remove_tree(sys::kCwd, directory), "a test's litter"); }

  [[nodiscard]] std::unique_ptr<Driver> open() const { return Driver::open(config).value(); }
  [[nodiscard]] std::string text() const { return sys::read_file(sys::kCwd, config.path).value(); }
  void write_text(std::string_view text) const {
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, config.path, text));
  }
  [[nodiscard]] std::vector<std::string> names() const {
    const auto opened = sys::open_dir(sys::kCwd, directory);
    const auto entries = sys::list_dir(opened->get()).value();
    std::vector<std::string> out;
    for (const auto& entry : entries) out.push_back(entry.name);
    std::ranges::sort(out);
    return out;
  }
  /// Everything that the options let through, without following.
  [[nodiscard]] std::vector<Entry> read(const ReadOptions& options) const {
    auto reader = Reader::open(config, options).value();
    std::vector<Entry> out;
    Entry entry;
    while (reader->next(entry, {}).value()) out.push_back(entry);
    return out;
  }

  std::string directory;
  Config config;
};

}  // namespace logs
