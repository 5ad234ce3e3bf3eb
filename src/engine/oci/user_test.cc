#include "engine/oci/user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace engine::oci {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\nwww:x:33:33::/srv:/bin/false\n1000:x:7:8::/:/bin/sh\n";
constexpr std::string_view kGroup = "root:x:0:root\nwheel:x:10:root,www\nwww:x:33:\ndisk:x:6:root,adm\n55:x:9:\n";

TEST(User, RootByDefaultWithItsGroups) {
  const auto user = resolve_user("", kPasswd, kGroup, {}).value();
  EXPECT_EQ(user.uid, 0U);
  EXPECT_THAT(user.additional_gids, ElementsAre(0, 10, 6));
}

TEST(User, ByNameByNumberAndByGroup) {
  EXPECT_EQ(resolve_user("www", kPasswd, kGroup, {})->gid, 33U);
  EXPECT_THAT(resolve_user("33", kPasswd, kGroup, {})->additional_gids, ElementsAre(10));
  const auto user = resolve_user("www:wheel", kPasswd, kGroup, {}).value();
  EXPECT_EQ(user.gid, 10U);
  EXPECT_THAT(user.additional_gids, IsEmpty());
  EXPECT_EQ(resolve_user("1000", kPasswd, kGroup, {})->uid, 7U) << "a name of digits comes first";
  EXPECT_EQ(resolve_user("4711:55", kPasswd, kGroup, {})->gid, 9U);
  EXPECT_EQ(resolve_user("4711", "", "", {})->gid, 0U);
}

TEST(User, FurtherGroups) {
  EXPECT_THAT(resolve_user("0:0", kPasswd, kGroup, {"disk", "4242", "disk"})->additional_gids, ElementsAre(6, 4242));
  EXPECT_EQ(resolve_user("0", kPasswd, kGroup, {"nobody"}).error().message(),
            "unable to find group nobody: no matching entries in group file");
}

TEST(User, ErrorsInDockersWords) {
  EXPECT_EQ(resolve_user("ghost", kPasswd, kGroup, {}).error().message(),
            "unable to find user ghost: no matching entries in passwd file");
  EXPECT_EQ(resolve_user("-1", kPasswd, kGroup, {}).error().message(),
            "uids and gids must be in range 0-2147483647");
  EXPECT_TRUE(resolve_user("4294967296", kPasswd, kGroup, {}).failed_as(base::ErrorKind::InvalidArgument));
}

TEST(User, FilesAreReadOnlyWhenTheyMatter) {
  EXPECT_FALSE(needs_user_files("7:7", {"9"}));
  EXPECT_TRUE(needs_user_files("", {}));
  EXPECT_TRUE(needs_user_files("7", {}));
  EXPECT_TRUE(needs_user_files("7:www", {}));
  EXPECT_TRUE(needs_user_files("7:7", {"disk"}));
}

}  // namespace
}  // namespace engine::oci
