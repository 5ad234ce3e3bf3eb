#include "codec/plain_tar.h"

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>


namespace codec {
namespace {

struct Item {
  TarEntry entry;
  std::string content;
};

base::Result<std::vector<Item>> read_plain(std::string_view bytes) {
  base::StringSource source{bytes};
  PlainTarReader reader{source};
  std::vector<Item> items;
  while (true) {
    Item item;
    const bool more = TRY(reader.next(item.entry));
    if (!more) return items;
    TarBlock block;
    while (TRY(reader.next_block(block))) item.content += block.bytes;
    items.push_back(std::move(item));
  }
}

std::string read_whole(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  EXPECT_NE(file, nullptr) << path;
  if (file == nullptr) return {};
  std::string text;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, got);
  std::fclose(file);
  return text;
}

TEST(PlainTar, ReadsWhatOurWriterWrites) {
  base::StringSink sink;
  TarWriter writer{sink};
  const std::string long_name = "d/" + std::string(300, 'n');
  TarEntry file{.path = long_name, .mode = 04755, .uid = 3'000'000, .gid = 7, .size = 5};
  file.mtime = {.tv_sec = 1'700'000'000, .tv_nsec = 250'000'000};
  file.xattrs = {{"user.a", std::string{"b\0c\nd", 5}}};
  ASSERT_TRUE(writer.add({.path = "d/", .type = TarType::Directory, .mode = 01777}));
  ASSERT_TRUE(writer.add(file));
  ASSERT_TRUE(writer.write("hello"));
  ASSERT_TRUE(writer.add({.path = "link", .type = TarType::Symlink, .mode = 0777, .link_target = long_name}));
  ASSERT_TRUE(writer.add({.path = "hard", .type = TarType::HardLink, .mode = 0644, .link_target = long_name}));
  ASSERT_TRUE(writer.add({.path = "null", .type = TarType::CharDevice, .device_major = 1, .device_minor = 3}));
  ASSERT_TRUE(writer.finish());
  const auto items = read_plain(sink.text);
  ASSERT_TRUE(items) << items.error().message();
  ASSERT_EQ(items->size(), 5U);
  EXPECT_EQ((*items)[0].entry.type, TarType::Directory);
  EXPECT_EQ((*items)[0].entry.mode, 01777U);
  const auto& read = (*items)[1].entry;
  EXPECT_EQ(read.path, long_name);
  EXPECT_EQ(read.mode, 04755U);
  EXPECT_EQ(read.uid, 3'000'000U);
  EXPECT_EQ(read.mtime.tv_nsec, 250'000'000);
  EXPECT_EQ(read.xattrs, file.xattrs);
  EXPECT_EQ((*items)[1].content, "hello");
  EXPECT_EQ((*items)[2].entry.link_target, long_name);
  EXPECT_EQ((*items)[3].entry.type, TarType::HardLink);
  EXPECT_EQ((*items)[4].entry.device_minor, 3U);
}

class PlainTarFormats : public testing::TestWithParam<const char*> {};

TEST_P(PlainTarFormats, OfTarItself) {
  std::string folder = testing::TempDir() + "/plain-tar-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string make = "cd " + folder + " && mkdir -p t/sub && printf content > t/sub/file && ln -s sub/file t/link && ln t/sub/file t/hard && " +
                           "tar --sort=name --format=" + GetParam() + " -cf a.tar t";
  ASSERT_EQ(std::system(make.c_str()), 0);
  const auto items = read_plain(read_whole(folder + "/a.tar"));
  ASSERT_TRUE(items) << items.error().message();
  ASSERT_EQ(items->size(), 5U);
  EXPECT_EQ((*items)[0].entry.path, "t/");
  EXPECT_EQ((*items)[0].entry.type, TarType::Directory);
  EXPECT_EQ((*items)[1].entry.path, "t/hard");
  EXPECT_EQ((*items)[1].content, "content");
  EXPECT_EQ((*items)[2].entry.link_target, "sub/file");
  EXPECT_EQ((*items)[4].entry.path, "t/sub/file");
  EXPECT_EQ((*items)[4].entry.type, TarType::HardLink);
  EXPECT_EQ((*items)[4].entry.link_target, "t/hard");
  ASSERT_EQ(std::system(("rm -r " + folder).c_str()), 0);
}

INSTANTIATE_TEST_SUITE_P(Formats, PlainTarFormats, testing::Values("v7", "ustar", "gnu", "pax"),
                         [](const auto& format) { return std::string{format.param}; });

TEST(PlainTar, RefusesDamage) {
  base::StringSink sink;
  TarWriter writer{sink};
  ASSERT_TRUE(writer.add({.path = "file", .size = 600}));
  ASSERT_TRUE(writer.write(std::string(600, 'x')));
  ASSERT_TRUE(writer.finish());
  const std::string whole = sink.text;
  EXPECT_TRUE(read_plain(whole));
  EXPECT_TRUE(read_plain(""));
  for (const std::size_t size : {1U, 511U, 513U, 1100U}) {
    EXPECT_TRUE(read_plain(std::string_view{whole}.substr(0, size)).failed_as(base::ErrorKind::InvalidArgument)) << size;
  }
  std::string changed = whole;
  changed[0] = 'g';
  EXPECT_FALSE(read_plain(changed)) << "the checksum";
}

}  // namespace
}  // namespace codec
