#include "spec/reference.h"

#include <gtest/gtest.h>

namespace {

using spec::Reference;

const std::string kHex = "7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa";

struct Good {
  const char* text;
  const char* whole;
  const char* familiar;
};

class ReferenceGood : public testing::TestWithParam<Good> {};

TEST_P(ReferenceGood, IsMadeWholeAndShortAgain) {
  const auto reference = Reference::parse(GetParam().text);
  ASSERT_TRUE(reference) << reference.error().message();
  EXPECT_EQ(reference->str(), GetParam().whole);
  EXPECT_EQ(reference->familiar(), GetParam().familiar);
  const auto again = Reference::parse(reference->str());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *reference);
  const auto from_familiar = Reference::parse(reference->familiar());
  ASSERT_TRUE(from_familiar);
  EXPECT_EQ(*from_familiar, *reference);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReferenceGood,
    testing::Values(Good{"ubuntu", "docker.io/library/ubuntu", "ubuntu"},
                    Good{"ubuntu:22.04", "docker.io/library/ubuntu:22.04", "ubuntu:22.04"},
                    Good{"library/ubuntu", "docker.io/library/ubuntu", "ubuntu"},
                    Good{"docker.io/ubuntu", "docker.io/library/ubuntu", "ubuntu"},
                    Good{"index.docker.io/ubuntu:x", "docker.io/library/ubuntu:x", "ubuntu:x"},
                    Good{"index.docker.io/me/app", "docker.io/me/app", "me/app"},
                    Good{"docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"},
                    Good{"me/app", "docker.io/me/app", "me/app"},
                    Good{"a/b/c/d", "docker.io/a/b/c/d", "a/b/c/d"},
                    Good{"localhost/app", "localhost/app", "localhost/app"},
                    Good{"localhost:5000/app:t", "localhost:5000/app:t", "localhost:5000/app:t"},
                    Good{"127.0.0.1:5000/docker/docker", "127.0.0.1:5000/docker/docker",
                         "127.0.0.1:5000/docker/docker"},
                    Good{"[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"},
                    Good{"[2001:db8::1]/app:t", "[2001:db8::1]/app:t", "[2001:db8::1]/app:t"},
                    Good{"xn--n3h.com/myimage", "xn--n3h.com/myimage", "xn--n3h.com/myimage"},
                    Good{"foo.Example.COM/x:Y", "foo.Example.COM/x:Y", "foo.Example.COM/x:Y"},
                    Good{"HOST/app", "HOST/app", "HOST/app"},
                    Good{"foo_bar.com:8080", "docker.io/library/foo_bar.com:8080", "foo_bar.com:8080"},
                    Good{"a__b/c--d.e_f", "docker.io/a__b/c--d.e_f", "a__b/c--d.e_f"},
                    Good{"a---------b", "docker.io/library/a---------b", "a---------b"},
                    Good{"dock__er/docker", "docker.io/dock__er/docker", "dock__er/docker"},
                    Good{"x:_", "docker.io/library/x:_", "x:_"},
                    Good{"docker.io/a.b/c:1", "docker.io/a.b/c:1", "docker.io/a.b/c:1"},
                    Good{"docker.io/localhost/c", "docker.io/localhost/c", "docker.io/localhost/c"}),
    [](const auto& parameter) { return std::to_string(parameter.index); });

TEST(Reference, TakesTagAndDigestTogether) {
  const std::string digest = "sha256:" + kHex;
  const auto reference = Reference::parse("app:1@" + digest);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->tag(), "1");
  EXPECT_EQ(reference->digest().str(), digest);
  EXPECT_EQ(reference->tag_or_digest(), digest);
  EXPECT_EQ(reference->familiar(), "app:1@" + digest);
  EXPECT_FALSE(reference->is_name_only());
}

struct Bad {
  std::string text, message;
};

class ReferenceBad : public testing::TestWithParam<Bad> {};

TEST_P(ReferenceBad, SaysWhy) {
  const auto reference = Reference::parse(GetParam().text);
  ASSERT_FALSE(reference) << reference->str();
  EXPECT_TRUE(reference.error().is(base::ErrorKind::InvalidArgument));
  EXPECT_EQ(reference.error().message(), GetParam().message);
}

const char* const kFormat = "invalid reference format";

INSTANTIATE_TEST_SUITE_P(
    Table, ReferenceBad,
    testing::Values(
        Bad{"", kFormat}, Bad{":latest", kFormat}, Bad{"/x", kFormat}, Bad{"x/", kFormat},
        Bad{"a//b", kFormat}, Bad{"-x", kFormat}, Bad{"x-", kFormat}, Bad{"x_", kFormat}, Bad{"_x", kFormat},
        Bad{"a___b", kFormat}, Bad{"a..b", kFormat}, Bad{"a.-b", kFormat}, Bad{"x:", kFormat},
        Bad{"x:-t", kFormat}, Bad{"x:a b", kFormat}, Bad{"x y", kFormat}, Bad{"x\n", kFormat},
        Bad{"x@", kFormat}, Bad{"x@sha256:abc", kFormat}, Bad{"x@:" + kHex, kFormat},
        Bad{"x@sha256" + kHex, kFormat}, Bad{"x:a:b", kFormat}, Bad{"http://x/y", kFormat},
        Bad{"a/b:t/c", kFormat}, Bad{"host:port/x", kFormat}, Bad{"host:/x", kFormat},
        Bad{"-host.com/x", kFormat}, Bad{"host-.com/x", kFormat}, Bad{"a..com/x", kFormat},
        Bad{"[fc00::1/x", kFormat}, Bad{"[]:5000/x", kFormat}, Bad{"[zz]:1/x", kFormat},
        Bad{"x:" + std::string(129, 't'), kFormat}, Bad{"docker/docker_.docker", kFormat},
        Bad{"Foo", "invalid reference format: repository name (library/Foo) must be lowercase"},
        Bad{"me/Foo:T", "invalid reference format: repository name (me/Foo) must be lowercase"},
        Bad{"localhost:5000/Foo", "invalid reference format: repository name (Foo) must be lowercase"},
        Bad{"Foo/Bar", "invalid reference format: repository name (Bar) must be lowercase"},
        Bad{"docker.io/Foo/x", "invalid reference format: repository name (Foo/x) must be lowercase"},
        Bad{kHex, "invalid repository name (" + kHex + "), cannot specify 64-byte hexadecimal strings"},
        Bad{"x@md5:" + kHex.substr(0, 32), "unsupported digest algorithm"},
        Bad{"x@sha256:" + kHex.substr(0, 63), "invalid checksum digest length"},
        Bad{std::string(256, 'a'), "repository name must not be more than 255 characters"}),
    [](const auto& parameter) { return std::to_string(parameter.index); });

TEST(Reference, UppercaseTagIsNoUppercaseName) {
  EXPECT_TRUE(Reference::parse("x:RC1"));
  EXPECT_TRUE(Reference::parse("x:" + std::string(128, 'T')));
}

TEST(Reference, NameAndTagApart) {
  EXPECT_EQ(Reference::parse("x", "1")->str(), "docker.io/library/x:1");
  EXPECT_EQ(Reference::parse("x:2", "1")->str(), "docker.io/library/x:1");
  EXPECT_EQ(Reference::parse("x:2", "sha256:" + kHex)->str(), "docker.io/library/x@sha256:" + kHex);
  EXPECT_EQ(Reference::parse("x:2", "")->str(), "docker.io/library/x:2");
  EXPECT_FALSE(Reference::parse("x", "a b"));
  EXPECT_FALSE(Reference::parse("X", "a"));
}

TEST(Reference, DefaultTag) {
  EXPECT_EQ(Reference::parse("x")->with_default_tag().familiar(), "x:latest");
  EXPECT_EQ(Reference::parse("x:1")->with_default_tag().familiar(), "x:1");
  EXPECT_EQ(Reference::parse("x@sha256:" + kHex)->with_default_tag().familiar(), "x@sha256:" + kHex);
}

}  // namespace
