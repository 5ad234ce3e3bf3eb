#include <gtest/gtest.h>

#include "distribution/detail/challenge.h"
#include "distribution/detail/failure.h"
#include "distribution/detail/retry.h"
#include "distribution/detail/trust.h"

namespace {

using distribution::detail::network_contains;
using distribution::detail::parse_challenges;
using distribution::detail::Response;

TEST(Challenge, ReadsQuotedTokensAndSeveralInOneHeader) {
  const auto challenges = parse_challenges(
      R"(Basic realm="a \"b\", c", BEARER Realm="https://auth/token?x=1",service=reg.io , scope="repository:a/b:pull,push")");
  ASSERT_EQ(challenges.size(), 2U);
  EXPECT_EQ(challenges[0].scheme, "basic");
  EXPECT_EQ(challenges[0]["realm"], "a \"b\", c");
  EXPECT_EQ(challenges[1].scheme, "bearer");
  EXPECT_EQ(challenges[1]["realm"], "https://auth/token?x=1");
  EXPECT_EQ(challenges[1]["service"], "reg.io");
  EXPECT_EQ(challenges[1]["scope"], "repository:a/b:pull,push");
  EXPECT_EQ(challenges[1]["none"], "");
}

TEST(Challenge, SurvivesNonsense) {
  for (const auto* text : {"", " ", ",,,", "=", "\"", "Bearer realm=\"unterminated", "Bearer realm=\"x\\",
                           "a=b", "Bearer =x", "\x01\x02"}) {
    const auto challenges = parse_challenges(text);
    EXPECT_LE(challenges.size(), 2U) << text;
  }
  EXPECT_EQ(parse_challenges("Negotiate").at(0).scheme, "negotiate");
}

TEST(Trust, KnowsInsecureHosts) {
  const distribution::detail::TrustStore trust{"/nonexistent", {"reg.local:5000", "10.0.0.0/8", "fd00::/8"}};
  for (const auto* host : {"localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:1", "[::1]:5000",
                           "reg.local:5000", "10.1.2.3", "[fd00::1]:80"}) {
    EXPECT_TRUE(trust.is_insecure(host)) << host;
  }
  for (const auto* host : {"reg.local", "localhost.evil.com", "127.0.0.1.evil.com", "11.0.0.1", "[fe80::1]",
                           "registry-1.docker.io"}) {
    EXPECT_FALSE(trust.is_insecure(host)) << host;
  }
}

TEST(Trust, ResolvesNamesWhereThereAreNetworks) {
  // "10.1" is a name to this program, and 10.0.0.1 to every resolver, without asking anybody.
  const distribution::detail::TrustStore trust{"/nonexistent", {"10.0.0.0/8"}};
  EXPECT_TRUE(trust.is_insecure("10.1:5000"));
  EXPECT_FALSE(trust.is_insecure("11.1:5000"));
  EXPECT_FALSE(trust.is_insecure("no-such-host.invalid"));
  const distribution::detail::TrustStore strict{"/nonexistent", {"reg.local"}};
  EXPECT_FALSE(strict.is_insecure("10.1:5000"));
}

TEST(Trust, NetworksNeedNoOctetBoundary) {
  EXPECT_TRUE(network_contains("192.168.16.0/20", "192.168.31.255"));
  EXPECT_FALSE(network_contains("192.168.16.0/20", "192.168.32.0"));
  EXPECT_TRUE(network_contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(network_contains("0.0.0.0/0", "::1"));
  EXPECT_FALSE(network_contains("10.0.0.0/33", "10.0.0.1"));
  EXPECT_FALSE(network_contains("10.0.0.0", "10.0.0.0"));
  EXPECT_FALSE(network_contains("x/8", "10.0.0.0"));
}

TEST(Failure, KeepsTerminalsSafe) {
  Response response;
  response.status = 400;
  const auto error = distribution::detail::status_failure(
      response, R"({"errors":[{"code":"UNSUPPORTED","message":"a\u001b[2Jb"}]})");
  EXPECT_EQ(error.message(), "unsupported: a [2Jb");
}

TEST(Failure, BodyThatIsNoJson) {
  Response response;
  response.status = 503;
  const auto error = distribution::detail::status_failure(response, "<html>");
  EXPECT_TRUE(error.is(base::ErrorKind::Unavailable));
  EXPECT_EQ(error.message(), "received unexpected HTTP status: 503 Service Unavailable");
}

TEST(Retry, BacksOffAndGivesUp) {
  distribution::Options options;
  options.attempts = 4;
  distribution::detail::Backoff backoff{options};
  using std::chrono::milliseconds;
  EXPECT_EQ(backoff.next({}), milliseconds{500});
  EXPECT_EQ(backoff.next({}), milliseconds{1000});
  EXPECT_EQ(backoff.next(milliseconds{7000}), milliseconds{7000});
  EXPECT_EQ(backoff.next({}), std::nullopt);
  backoff.progressed();
  EXPECT_EQ(backoff.next({}), milliseconds{500});
}

TEST(Retry, AfterIsBelievedWithinReason) {
  using distribution::detail::parse_retry_after;
  EXPECT_EQ(parse_retry_after(" 3 "), std::chrono::seconds{3});
  EXPECT_EQ(parse_retry_after("999999999999"), std::chrono::seconds{60});
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), std::nullopt);
  EXPECT_EQ(parse_retry_after(""), std::nullopt);
}

TEST(Url, RedirectsAreResolved) {
  using distribution::detail::resolve_url;
  EXPECT_EQ(resolve_url("https://a:1/x/y", "/z?q=1").value(), "https://a:1/z?q=1");
  EXPECT_EQ(resolve_url("https://a/x/y", "http://b/c").value(), "http://b/c");
  EXPECT_FALSE(distribution::detail::parse_url("file:///etc/passwd"));
  EXPECT_FALSE(distribution::detail::parse_url("http://u:p@h/"));
  EXPECT_EQ(distribution::detail::parse_url("https://Host/")->origin(), "https://host:443");
}

}  // namespace
