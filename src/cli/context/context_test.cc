#include <cstdlib>

#include <gmock/gmock.h>

#include "base/byte_stream.h"
#include "cli/context/archive.h"
#include "cli/context/endpoint.h"
#include "cli/context/inflate.h"
#include "cli/context/store.h"
#include "cli/context/zip.h"
#include "codec/tar.h"
#include "sys/file.h"

namespace cli {
namespace {

using codec::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Json meta_of(const std::string& name, const std::string& host) {
  return Json::object({{"Name", name},
                       {"Metadata", Json::object({{"Description", "d"}, {"Other", 5}})},
                       {"Endpoints", Json::object({{"docker", Json::object({{"Host", host}})}})}});
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(directory_.data()), nullptr); }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, directory_)); }
  std::string directory_ = "/tmp/cli-contexts-XXXXXX";
};

TEST_F(StoreTest, KeepsWhatWasSaved) {
  const ContextStore store{directory_};
  EXPECT_TRUE(store.list()->empty());
  ASSERT_TRUE(store.save(meta_of("web10", "unix:///a")));
  ASSERT_TRUE(store.save(meta_of("web2", "unix:///b")));
  const auto all = store.list();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0]["Name"].as_string(), "web2");
  EXPECT_EQ(*store.find("web10"), meta_of("web10", "unix:///a"));
  // docker finds it: the folder is the hash of the name.
  EXPECT_TRUE(*sys::exists(sys::kCwd, store.meta_path("web2") + "/meta.json"));
  EXPECT_TRUE(store.meta_path("default").ends_with("/meta/37a8eec1ce19687d132fe29051dca629d164e2c4958ba141d5f4133a33f0688f"));
  ASSERT_TRUE(store.remove("web10"));
  EXPECT_TRUE(store.find("web10").failed_as(base::ErrorKind::NotFound));
  EXPECT_TRUE(store.remove("web10"));
}

TEST_F(StoreTest, KeepsCertificatesToTheUser) {
  const ContextStore store{directory_};
  ASSERT_TRUE(store.replace_tls("x1", {{"docker", {{"ca.pem", "CA"}, {"key.pem", "KEY"}}}}));
  EXPECT_EQ((sys::stat_at(sys::kCwd, store.tls_path("x1") + "/docker/key.pem")->st_mode & 0777U), 0600U);
  EXPECT_EQ((sys::stat_at(sys::kCwd, store.tls_path("x1") + "/docker")->st_mode & 0777U), 0700U);
  EXPECT_THAT(*store.tls("x1"), ElementsAre(Pair("docker", ElementsAre(Pair("ca.pem", "CA"), Pair("key.pem", "KEY")))));
  ASSERT_TRUE(store.replace_tls("x1", {}));
  EXPECT_TRUE(store.tls("x1")->empty());
  for (const char* bad : {"..", "a/b", ""}) {
    EXPECT_FALSE(store.replace_tls("x1", {{"docker", {{bad, "x"}}}})) << bad;
    EXPECT_FALSE(store.replace_tls("x1", {{bad, {{"ca.pem", "x"}}}})) << bad;
  }
}

TEST_F(StoreTest, ABrokenFileIsNamed) {
  const ContextStore store{directory_};
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, store.meta_path("x1"), 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, store.meta_path("x1") + "/meta.json", "{"));
  EXPECT_THAT(store.list().error().message(), HasSubstr("meta.json"));
  EXPECT_THAT(store.find("x1").error().message(), HasSubstr("meta.json"));
}

TEST_F(StoreTest, LeadsToADaemon) {
  const ContextStore store{directory_};
  ASSERT_TRUE(store.save(meta_of("plain", "unix:///a")));
  const auto plain = target_of_context(store, "plain");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "unix:///a");
  EXPECT_FALSE(plain->tls);
  ASSERT_TRUE(store.save(meta_of("safe", "tcp://h:1")));
  ASSERT_TRUE(store.replace_tls("safe", {{"docker", {{"ca.pem", "CA"}}}}));
  const auto safe = target_of_context(store, "safe");
  EXPECT_TRUE(safe->tls && safe->tls_verify);
  EXPECT_TRUE(safe->ca.ends_with("/docker/ca.pem"));
  EXPECT_EQ(safe->key, "");
  ASSERT_TRUE(store.save(Json::object({{"Name", "other"}, {"Endpoints", Json::object({})}})));
  EXPECT_EQ(target_of_context(store, "other").error().message(), "cannot find docker endpoint in context other");
}

TEST(ContextName, IsAsDockerHasIt) {
  for (const char* good : {"ab", "a.b-c_d+e", "0x"}) EXPECT_TRUE(check_context_name(good)) << good;
  for (const char* bad : {"", "a", "default", ".a", "a b", "a/b", "ä"}) EXPECT_FALSE(check_context_name(bad)) << bad;
}

base::Result<ContextArchive> read(const std::string& bytes) {
  base::StringSource source{bytes};
  return read_context(source);
}

TEST(ContextArchive, SurvivesItsOwnForm) {
  const ContextArchive context{meta_of("x1", "unix:///a"), {{"docker", {{"ca.pem", "CA"}, {"key.pem", std::string(5000, 'k')}}}}};
  base::StringSink sink;
  ASSERT_TRUE(write_context(sink, context));
  const auto back = read(sink.text);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->meta, context.meta);
  EXPECT_EQ(back->tls, context.tls);
}

std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  base::StringSink sink;
  codec::TarWriter tar{sink};
  for (const auto& [path, contents] : files) {
    EXPECT_TRUE(tar.add({.path = path, .mode = 0644, .size = contents.size(), .link_target = {}, .xattrs = {}}));
    EXPECT_TRUE(tar.write(contents));
  }
  EXPECT_TRUE(tar.finish());
  return sink.text;
}

TEST(ContextArchive, RefusesWhatIsNoContext) {
  const std::pair<std::string, std::string> meta{"meta.json", "{}"};
  const auto message = [](const std::string& bytes) {
    const auto context = read(bytes);
    return context ? std::string{"read"} : context.error().message();
  };
  EXPECT_THAT(message(tar_of({meta, {"etc/x", "1"}})), HasSubstr("unexpected context file"));
  EXPECT_THAT(message(tar_of({meta, {"tls/../x", "1"}})), HasSubstr("unexpected path format"));
  EXPECT_THAT(message(tar_of({meta, {"tls/a\\b/c", "1"}})), HasSubstr("unexpected '\\' in path"));
  EXPECT_THAT(message(tar_of({meta, {"tls/a", "1"}})), HasSubstr("archive format is invalid"));
  EXPECT_THAT(message(tar_of({meta, {"tls/a/b/c", "1"}})), HasSubstr("archive format is invalid"));
  EXPECT_THAT(message(tar_of({{"tls/a/b", "1"}})), HasSubstr("no metadata found"));
  EXPECT_THAT(message(tar_of({{"meta.json", "{"}})), HasSubstr("meta.json"));
  EXPECT_THAT(message(tar_of({{"meta.json", "[]"}})), HasSubstr("no JSON object"));
  EXPECT_NE(message("junk"), "read");
  EXPECT_NE(message(""), "read");
  EXPECT_NE(message(std::string(11 << 20, 'x')), "read");
}

// Python's zipfile, deflated: meta.json {"Name":"q","Endpoints":{"docker":{"Host":"unix:///zip"}}} and tls/docker/ca.pem.
constexpr unsigned char kZip[] = {
#include "cli/context/testdata/zip.inc"
};
const std::string_view kZipBytes{reinterpret_cast<const char*>(kZip), sizeof kZip};

TEST(Zip, IsReadLikeATar) {
  const auto context = read(std::string{kZipBytes});
  ASSERT_TRUE(context) << context.error().message();
  EXPECT_EQ(context->meta["Endpoints"]["docker"]["Host"].as_string(), "unix:///zip");
  EXPECT_EQ(context->tls.at("docker").at("ca.pem"), std::string(3000, 'C') + "A");
}

TEST(Zip, ABrokenOneFails) {
  // Whatever is cut off or changed: an error or the same files, and never a read outside.
  for (std::size_t length = 0; length < kZipBytes.size(); ++length) {
    EXPECT_FALSE(read_zip(kZipBytes.substr(0, length), 1 << 20)) << length;
  }
  const auto whole = *read_zip(kZipBytes, 1 << 20);
  for (std::size_t at = 0; at < kZipBytes.size(); ++at) {
    std::string changed{kZipBytes};
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    const auto files = read_zip(changed, 1 << 20);
    if (!files) continue;
    for (const auto& [path, contents] : *files) {
      const bool known = contents == whole[0].second || contents == whole[1].second || contents.empty();
      EXPECT_TRUE(known) << at;
    }
  }
  EXPECT_THAT(read_zip(kZipBytes, 100).error().message(), HasSubstr("too large"));
}

TEST(Inflate, KnowsEveryKindOfBlock) {
  using namespace std::string_literals;
  // Stored, fixed and dynamic codes, as zlib writes them with levels 0, Z_FIXED and 9.
  EXPECT_EQ(*inflate("\x01\x05\x00\xfa\xffhello"s, 100), "hello");
  EXPECT_EQ(*inflate("\xcb\x48\xcd\xc9\xc9\x07\x00"s, 100), "hello");
  EXPECT_FALSE(inflate("\x01\x05\x00\xfa\xffhell"s, 100));
  EXPECT_FALSE(inflate("\x01\x05\x00\xfb\xffhello"s, 100));
  EXPECT_FALSE(inflate("\x07"s, 100));
  EXPECT_FALSE(inflate(""s, 100));
  EXPECT_THAT(inflate("\xcb\x48\xcd\xc9\xc9\x07\x00"s, 4).error().message(), HasSubstr("too many"));
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
}

}  // namespace
}  // namespace cli
