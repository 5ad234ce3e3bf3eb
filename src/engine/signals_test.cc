#include "engine/signals.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(Signals, NamesAndNumbers) {
  EXPECT_EQ(parse_signal("SIGKILL").value(), 9);
  EXPECT_EQ(parse_signal("term").value(), 15);
  EXPECT_EQ(parse_signal("9").value(), 9);
  EXPECT_EQ(parse_signal("SIGRTMIN+3").value(), 37);
  EXPECT_EQ(parse_signal("RTMAX-1").value(), 63);
}

TEST(Signals, NonsenseIsRefused) {
  for (const char* text : {"", "0", "-9", "65", "SIG", "SIGFOO", "RTMIN+31", "RTMIN+-1", "9x"}) {
    const auto result = parse_signal(text);
    ASSERT_TRUE(result.failed_as(base::ErrorKind::InvalidArgument)) << text;
    EXPECT_EQ(result.error().message(), std::string{"invalid signal: "} + text);
  }
}

}  // namespace
}  // namespace engine
