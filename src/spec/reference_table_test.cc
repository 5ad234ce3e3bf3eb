/// The names that the field tests its parsers with: what distribution/reference accepts and refuses, in its normal form.

#include <gtest/gtest.h>

#include "spec/reference.h"

namespace {

const std::string kDigest(64, 'f');

struct Accepted {
  std::string text, domain, path, tag, digest;
};

TEST(ReferenceTable, WhatIsAccepted) {
  const std::string sha256 = "sha256:" + kDigest;
  const std::string sha512 = "sha512:" + std::string(128, 'f');
  for (const auto& [text, domain, path, tag, digest] : std::vector<Accepted>{
           {"test_com", "docker.io", "library/test_com", "", ""},
           {"test.com:tag", "docker.io", "library/test.com", "tag", ""},
           {"test.com:5000", "docker.io", "library/test.com", "5000", ""},
           {"test.com/repo:tag", "test.com", "repo", "tag", ""},
           {"test:5000/repo", "test:5000", "repo", "", ""},
           {"test:5000/repo:tag", "test:5000", "repo", "tag", ""},
           {"test:5000/repo@" + sha256, "test:5000", "repo", "", sha256},
           {"test:5000/repo:tag@" + sha256, "test:5000", "repo", "tag", sha256},
           {"lowercase:Uppercase", "docker.io", "library/lowercase", "Uppercase", ""},
           {"sub-dom1.foo.com/bar/baz/quux", "sub-dom1.foo.com", "bar/baz/quux", "", ""},
           {"sub-dom1.foo.com/bar/baz/quux:some-long-tag", "sub-dom1.foo.com", "bar/baz/quux", "some-long-tag", ""},
           {"b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app",
            "test.example.com", ""},
           {"xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", "xn--n3h.com", ""},
           {"xn--7o8h.com/myimage:xn--7o8h.com@" + sha512, "xn--7o8h.com", "myimage", "xn--7o8h.com", sha512},
           {"foo_bar.com:8080", "docker.io", "library/foo_bar.com", "8080", ""},
           {"foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com", "8080", ""},
           {"192.168.1.1", "docker.io", "library/192.168.1.1", "", ""},
           {"192.168.1.1:tag", "docker.io", "library/192.168.1.1", "tag", ""},
           {"192.168.1.1/repo", "192.168.1.1", "repo", "", ""},
           {"192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", "5050", ""},
           {"[2001:db8::1]/repo", "[2001:db8::1]", "repo", "", ""},
           {"[2001:db8:1:2:3:4:5:6]/repo:tag", "[2001:db8:1:2:3:4:5:6]", "repo", "tag", ""},
           {"[2001:db8::1]:5000/repo:tag@" + sha256, "[2001:db8::1]:5000", "repo", "tag", sha256},
           {"[::1]:5000/repo", "[::1]:5000", "repo", "", ""},
           {"docker/docker", "docker.io", "docker/docker", "", ""},
           {"library/debian", "docker.io", "library/debian", "", ""},
           {"docker.io/debian", "docker.io", "library/debian", "", ""},
           {"index.docker.io/debian", "docker.io", "library/debian", "", ""},
           {"index.docker.io/docker/docker", "docker.io", "docker/docker", "", ""},
           {"127.0.0.1:5000/library/debian", "127.0.0.1:5000", "library/debian", "", ""},
           {"localhost/debian", "localhost", "debian", "", ""},
           {"Docker/docker", "Docker", "docker", "", ""},
           {"DOCKER/docker", "DOCKER", "docker", "", ""},
           {"thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev", "docker.io",
            "library/thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev", "", ""},
           {"docker.io/" + std::string(64, 'a'), "docker.io", "library/" + std::string(64, 'a'), "", ""},
           {"some_separators__and--dashes---x", "docker.io", "library/some_separators__and--dashes---x", "", ""},
       }) {
    const auto reference = spec::Reference::parse(text);
    ASSERT_TRUE(reference) << text << ": " << reference.error().message();
    EXPECT_EQ(reference->domain(), domain) << text;
    EXPECT_EQ(reference->path(), path) << text;
    EXPECT_EQ(reference->tag(), tag) << text;
    EXPECT_EQ(reference->digest().str(), digest) << text;
    // Either form leads back to it.
    EXPECT_EQ(spec::Reference::parse(reference->str()).value(), *reference) << text;
    EXPECT_EQ(spec::Reference::parse(reference->familiar()).value(), *reference) << text;
  }
}

TEST(ReferenceTable, WhatIsRefusedAndWhy) {
  const std::string format = "invalid reference format";
  std::string too_long = "a";
  for (int i = 0; i < 128; ++i) too_long.insert(0, "a/");
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"", format},
           {":justtag", format},
           {"@sha256:" + kDigest, format},
           {"repo@sha256:" + std::string(34, 'f'), "invalid checksum digest length"},
           {"validname@invaliddigest:" + std::string(128, 'f'), "unsupported digest algorithm"},
           {"Uppercase:tag", format + ": repository name (library/Uppercase) must be lowercase"},
           {"test:5000/Uppercase/lowercase:tag", format + ": repository name (Uppercase/lowercase) must be lowercase"},
           {"docker/Docker", format + ": repository name (docker/Docker) must be lowercase"},
           {"docker.io/docker/Docker", format + ": repository name (docker/Docker) must be lowercase"},
           {too_long + ":tag", "repository name must not be more than 255 characters"},
           {"aa/asdf$$^/aa", format},
           {"[2001:db8::1]", format},
           {"[2001:db8::1]:5000", format},
           {"[fe80::1%eth0]:5000/repo", format},
           {"[fe80::1%@invalidzone]:5000/repo", format},
           {"[2001:db8:3:4::192.0.2.33]:5000/debian", format},
           {"fc00::1:5000/debian", format},
           {"https://github.com/docker/docker", format},
           {"-docker", format},
           {"-docker/docker", format},
           {"-docker.io/docker/docker", format},
           {"docker///docker", format},
           {"docker.io/docker///docker", format},
           {"____/____", format},
           {"_docker/_docker", format},
           {"docker_/docker", format},
           {"docker./docker", format},
           {"do..cker/docker", format},
           {"do___cker", format},
           {"docker-/docker", format},
           {"repo:" + std::string(129, 't'), format},
           {"repo:-tag", format},
           {"repo:.tag", format},
           {"repo: tag", format},
           {std::string(63, 'a') + "1", "invalid repository name (" + std::string(63, 'a') +
                                            "1), cannot specify 64-byte hexadecimal strings"},
       }) {
    const auto reference = spec::Reference::parse(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().message(), message) << text;
  }
}

}  // namespace
