#include "base/result.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/scope_guard.h"

namespace base {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return invalid("odd");
  return value / 2;
}

Result<int> quarter(int value) { return half(TRY(half(value).context("first half"))); }

Result<> check(int value) {
  TRY(half(value));
  return {};
}

TEST(Result, TryPassesTheErrorOnWithItsContext) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(3).error().message(), "first half: odd");
  EXPECT_EQ(quarter(6).error().message(), "odd");
  EXPECT_TRUE(check(2));
  EXPECT_TRUE(check(1).failed_as(ErrorKind::InvalidArgument));
}

TEST(Result, ErrnoDecidesTheKindAndTheText) {
  const Error error = Error::from_errno(ENOENT, "open /x");
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_EQ(error.errno_value(), ENOENT);
  EXPECT_EQ(error.message(), "open /x: No such file or directory");
}

TEST(Result, CleanupFailureNeverReplacesTheCause) {
  const Error error = conflict("cause").and_also(internal("mess"));
  EXPECT_EQ(error.kind(), ErrorKind::Conflict);
  EXPECT_EQ(error.message(), "cause (and while cleaning up: mess)");
}

TEST(ScopeGuard, RunsUnlessReleased) {
  int undone = 0;
  {
    ScopeGuard first{[&] { ++undone; }};
    ScopeGuard second{[&] { ++undone; }};
    second.release();
  }
  EXPECT_EQ(undone, 1);
}

TEST(Digest, TakesWhatTheSpecificationAllows) {
  const std::string hex(64, 'a');
  const Digest digest = Digest::parse("sha256:" + hex).value();
  EXPECT_EQ(digest.algorithm(), "sha256");
  EXPECT_EQ(digest.hex(), hex);
  EXPECT_TRUE(Digest::parse("sha512:" + std::string(128, '0')));
  for (const std::string& bad : {std::string{}, hex, "sha256:" + hex + "a", "md5:" + hex,
                                 "sha256:" + std::string(64, 'A'), "sha256:../" + hex.substr(3)}) {
    EXPECT_FALSE(Digest::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace base
