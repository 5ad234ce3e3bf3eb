/// The small parts of the shim, in memory.
#include <algorithm>

#include <gtest/gtest.h>

#include "shim/detail/detach_keys.h"
#include "shim/detail/packet.h"
#include "shim/detail/spill_queue.h"
#include "shim/protocol.h"

namespace shim::detail {
namespace {

TEST(DetachKeys, ParseAsDockers) {
  EXPECT_EQ(parse_detach_keys("").value(), "\x10\x11");
  EXPECT_EQ(parse_detach_keys("ctrl-a,x").value(), "\x01x");
  EXPECT_EQ(parse_detach_keys("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_").value(), std::string("\0\x1b\x1c\x1d\x1e\x1f", 6));
  for (const char* bad : {"ctrl-1", "ctrl-", "ab", "a,", "CTRL-a"}) {
    EXPECT_FALSE(parse_detach_keys(bad)) << bad;
  }
}

TEST(DetachKeys, EveryWayToCutTheInputGivesTheSame) {
  const std::string input = "a\x01" "\x01" "\x01" "xb\x01" "yaax";
  DetachFilter whole{"\x01" "y" "a"};
  std::string want;
  ASSERT_TRUE(whole.feed(input, want));
  EXPECT_EQ(want, "a\x01" "\x01" "\x01" "xb");
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    DetachFilter filter{"\x01" "y" "a"};
    std::string out;
    const bool first = filter.feed(std::string_view{input}.substr(0, cut), out);
    const bool found = first || filter.feed(std::string_view{input}.substr(cut), out);
    EXPECT_TRUE(found);
    EXPECT_EQ(out, want) << cut;
  }
}

TEST(DetachKeys, ASequenceThatRepeatsItself) {
  DetachFilter filter{"aab"};
  std::string out;
  EXPECT_TRUE(filter.feed("aaab", out));
  EXPECT_EQ(out, "a");
}

TEST(SpillQueue, GivesBackWhatItGotInOrder) {
  SpillQueue queue{testing::TempDir()};
  std::string in;
  std::string out;
  std::size_t seed = 1;
  const auto random = [&] { return seed = seed * 6364136223846793005ULL + 1442695040888963407ULL; };
  // Mostly more in than out at first, then the other way round: through memory, file and back, twice.
  for (int phase = 0; phase < 4; ++phase) {
    const bool filling = phase % 2 == 0;
    for (int i = 0; i < 400; ++i) {
      std::string piece(1 + (random() >> 33U) % (filling ? 30'000 : 2'000), '\0');
      for (char& c : piece) c = static_cast<char>(random() >> 56U);
      in += piece;
      ASSERT_TRUE(queue.push(piece));
      const std::size_t take = std::min<std::size_t>(queue.front().size(), (random() >> 33U) % (filling ? 3'000 : 90'000));
      out.append(queue.front().substr(0, take));
      ASSERT_TRUE(queue.pop(take));
      ASSERT_LE(queue.front().size(), SpillQueue::kMemory);
    }
  }
  EXPECT_GT(in.size(), 10U << 20U);
  while (!queue.empty()) {
    out.append(queue.front());
    ASSERT_TRUE(queue.pop(queue.front().size()));
  }
  EXPECT_TRUE(out == in);
  EXPECT_EQ(queue.spilled(), 0U);
}

TEST(Protocol, ErrorsAndMessagesSurviveTheWire) {
  for (const auto kind : {base::ErrorKind::NotFound, base::ErrorKind::Conflict, base::ErrorKind::Internal}) {
    const base::Error back = to_error(to_json(base::Error{kind, 13, "why"}));
    EXPECT_EQ(back.kind(), kind);
    EXPECT_EQ(back.errno_value(), 13);
    EXPECT_EQ(back.message(), "why");
  }
  Options options;
  options.id = "x";
  options.overlay = Overlay{{"/a", "/b"}, "/u", "/w", {"index=off"}};
  options.log.options = {{"max-size", "1m"}};
  const auto back = codec::from_json_text<Options>(codec::to_json(options).dump()).value();
  EXPECT_EQ(back.overlay->lowers, options.overlay->lowers);
  EXPECT_EQ(back.log.options, options.log.options);
}

TEST(Protocol, ExitCodesOfFailures) {
  const auto code = [](const char* message) { return exit_code_of_failure(base::internal(message)); };
  EXPECT_EQ(code("exec: \"x\": executable file not found in $PATH"), 127);
  EXPECT_EQ(code("executable file `x` not found in $PATH: No such file or directory"), 127);
  EXPECT_EQ(code("exec: \"/x\": stat /x: no such file or directory"), 127);
  EXPECT_EQ(code("exec: \"/x\": permission denied"), 126);
  EXPECT_EQ(code("open executable: Permission denied"), 126);
  EXPECT_EQ(code("exec /x: exec format error"), 126);
  EXPECT_EQ(code("something else"), 128);
}

}  // namespace
}  // namespace shim::detail
