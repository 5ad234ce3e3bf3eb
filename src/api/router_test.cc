#include "api/router.h"

#include <gtest/gtest.h>

#include "api/errors.h"

namespace api {
namespace {

using Parameters = std::map<std::string, std::string>;

TEST(Router, PatternsMatchSegments) {
  EXPECT_EQ(match("/containers/{id}/json", "/containers/abc/json"), (Parameters{{"id", "abc"}}));
  EXPECT_EQ(match("/containers/{id}/json", "/containers/json"), std::nullopt);
  EXPECT_EQ(match("/containers/{id}/json", "/containers//json"), std::nullopt);
  EXPECT_EQ(match("/containers/{id}", "/containers/a/b"), std::nullopt);
}

TEST(Router, ImageNamesHaveSlashes) {
  EXPECT_EQ(match("/images/{name...}/json", "/images/a/json"), (Parameters{{"name", "a"}}));
  EXPECT_EQ(match("/images/{name...}/json", "/images/host:5000/team/app:1/json"),
            (Parameters{{"name", "host:5000/team/app:1"}}));
  EXPECT_EQ(match("/images/{name...}", "/images/a/b"), (Parameters{{"name", "a/b"}}));
  EXPECT_EQ(match("/images/{name...}/json", "/images/json"), std::nullopt);
}

TEST(Version, IsTakenOffThePathAndBounded) {
  EXPECT_EQ(split_version("/v1.41/info")->version, (Version{1, 41}));
  EXPECT_EQ(split_version("/v1.41/info")->path, "/info");
  EXPECT_EQ(split_version("/info")->version, newest_version());
  EXPECT_EQ(split_version("/volumes")->path, "/volumes");
  EXPECT_EQ(split_version("/v1.12/info").error().message(),
            "client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a "
            "newer version");
  EXPECT_EQ(split_version("/v9.99/info").error().message(),
            "client version 9.99 is too new. Maximum supported API version is " + newest_version().str());
}

TEST(Errors, EachKindHasItsStatus) {
  EXPECT_EQ(status_of(base::ErrorKind::NotFound), 404);
  EXPECT_EQ(status_of(base::ErrorKind::NotModified), 304);
  EXPECT_EQ(status_of(base::ErrorKind::Conflict), 409);
  EXPECT_EQ(status_of(base::ErrorKind::NotImplemented), 501);
}

TEST(Router, NoTwoRowsAnswerOneRequest) {
  for (const auto routes : {system_routes(), container_routes(), stream_routes(), exec_routes(), image_routes(),
                            network_routes(), volume_routes(), disk_usage_routes(), absent_routes()}) {
    for (const Route& a : routes) {
      for (const Route& b : routes) {
        if (&a == &b) continue;
        EXPECT_FALSE(a.method == b.method && a.pattern == b.pattern) << a.pattern;
      }
    }
  }
}

}  // namespace
}  // namespace api
