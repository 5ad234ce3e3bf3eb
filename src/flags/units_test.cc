#include "flags/units.h"

#include <gtest/gtest.h>

namespace flags {
namespace {

TEST(Units, ParsesRamSizes) {
  const std::pair<std::string_view, std::int64_t> kGolden[] = {
      {"0", 0},
      {"32", 32},
      {"32b", 32},
      {"32B", 32},
      {"32k", 32768},
      {"32K", 32768},
      {"32kb", 32768},
      {"32Kib", 32768},
      {"64m", 67108864},
      {"1.5 GiB", 1610612736},
      {"2t", 2199023255552},
      {"1p", 1125899906842624},
      {"32.5kB", 33280},
      {"32.5 kB", 33280},
      {"0.3K", 307},
      {".3kB", 307},
      {"0.", 0},
      {"1 b", 1},
      {"+8", 8},
  };
  for (const auto& [text, bytes] : kGolden) {
    const auto parsed = parse_ram_bytes(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message();
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(Units, ParsesDecimalSizes) {
  EXPECT_EQ(parse_human_size("10GB").value(), 10'000'000'000);
  EXPECT_EQ(parse_human_size("512mb").value(), 512'000'000);
}

TEST(Units, RefusesInDockersWords) {
  const std::pair<std::string_view, std::string_view> kGolden[] = {
      {"x", "invalid size: 'x'"},
      {"", "invalid size: ''"},
      {"-5", "invalid size: '-5'"},
      {"5zb", "invalid suffix: 'zb'"},
      {"32kbyte", "invalid suffix: 'kbyte'"},
      {"32bb", "invalid suffix: 'bb'"},
      {"32kx", "invalid suffix: 'kx'"},
      {"1e30", "invalid size: '1e30'"},
      {".", R"(strconv.ParseFloat: parsing ".": invalid syntax)"},
      {"1 2", R"(strconv.ParseFloat: parsing "1 2": invalid syntax)"},
      {"1..5k", R"(strconv.ParseFloat: parsing "1..5": invalid syntax)"},
      {"+-1", R"(strconv.ParseFloat: parsing "+-1": invalid syntax)"},
  };
  for (const auto& [text, message] : kGolden) {
    const auto parsed = parse_ram_bytes(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message(), message);
  }
}

TEST(Units, PrintsDecimalSizes) {
  EXPECT_EQ(human_size(0), "0B");
  EXPECT_EQ(human_size(1000), "1kB");
  EXPECT_EQ(human_size(1024), "1.024kB");
  EXPECT_EQ(human_size(1'000'000), "1MB");
  EXPECT_EQ(human_size(3.42e9, 3), "3.42GB");
  EXPECT_EQ(human_size(1'085'600'000, 3), "1.09GB");
  EXPECT_EQ(human_size(4'269'678, 3), "4.27MB");
  EXPECT_EQ(human_size(124'000'000, 3), "124MB");
}

TEST(Units, PrintsBinarySizes) {
  EXPECT_EQ(binary_size(1024), "1KiB");
  EXPECT_EQ(binary_size(2.22 * 1024 * 1024 * 1024), "2.22GiB");
  EXPECT_EQ(binary_size(1536), "1.5KiB");
}

}  // namespace
}  // namespace flags
