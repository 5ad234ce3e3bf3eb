#include "codec/tar.h"

#include <clocale>

#include <gtest/gtest.h>

namespace codec {
namespace {

struct Item {
  TarEntry entry;
  std::string content;
};

Item file(std::string path, std::string content) {
  Item item;
  item.entry.path = std::move(path);
  item.entry.mode = 0644;
  item.entry.size = content.size();
  item.entry.mtime.tv_sec = 1'700'000'000;
  item.content = std::move(content);
  return item;
}

Item other(std::string path, TarType type, std::string target = {}) {
  Item item = file(std::move(path), "");
  item.entry.type = type;
  item.entry.link_target = std::move(target);
  return item;
}

std::string archive_of(const std::vector<Item>& items) {
  base::StringSink sink;
  TarWriter writer{sink};
  for (const auto& item : items) {
    EXPECT_TRUE(writer.add(item.entry));
    EXPECT_TRUE(writer.write(item.content));
  }
  EXPECT_TRUE(writer.finish());
  EXPECT_EQ(writer.bytes(), sink.text.size());
  return sink.text;
}

base::Result<std::vector<Item>> read(std::string_view bytes) {
  base::StringSource source{bytes};
  TarReader reader{source};
  std::vector<Item> items;
  while (true) {
    Item item;
    if (!TRY(reader.next(item.entry))) return items;
    item.content = TRY(base::read_all(reader.data(), 1U << 24U));
    items.push_back(std::move(item));
  }
}

void expect_same(const Item& a, const Item& b) {
  EXPECT_EQ(a.entry.path, b.entry.path);
  EXPECT_EQ(a.entry.type, b.entry.type) << a.entry.path;
  EXPECT_EQ(a.entry.mode, b.entry.mode) << a.entry.path;
  EXPECT_EQ(a.entry.uid, b.entry.uid) << a.entry.path;
  EXPECT_EQ(a.entry.gid, b.entry.gid) << a.entry.path;
  EXPECT_EQ(a.entry.size, b.entry.size) << a.entry.path;
  EXPECT_EQ(a.entry.link_target, b.entry.link_target) << a.entry.path;
  EXPECT_EQ(a.entry.device_major, b.entry.device_major) << a.entry.path;
  EXPECT_EQ(a.entry.device_minor, b.entry.device_minor) << a.entry.path;
  EXPECT_EQ(a.entry.mtime.tv_sec, b.entry.mtime.tv_sec) << a.entry.path;
  EXPECT_EQ(a.entry.mtime.tv_nsec, b.entry.mtime.tv_nsec) << a.entry.path;
  EXPECT_EQ(a.entry.xattrs, b.entry.xattrs) << a.entry.path;
  EXPECT_EQ(a.content, b.content) << a.entry.path;
}

void expect_round_trip(const std::vector<Item>& items) {
  const auto back = read(archive_of(items));
  ASSERT_TRUE(back) << back.error().message();
  ASSERT_EQ(back->size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) expect_same(items[i], (*back)[i]);
}

TEST(Tar, EveryTypeRoundTrips) {
  Item device = other("dev/null", TarType::CharDevice);
  device.entry.device_major = 1;
  device.entry.device_minor = 3;
  Item disk = other("dev/big", TarType::BlockDevice);
  disk.entry.device_major = 259;
  disk.entry.device_minor = 1'000'000;
  Item setuid = file("bin/su", std::string(700, 'x'));
  setuid.entry.mode = 06755;
  expect_round_trip({other("etc/", TarType::Directory), file("etc/empty", ""), setuid,
                     other("bin/sh", TarType::Symlink, "../usr/bin/dash"),
                     other("bin/sh2", TarType::HardLink, "bin/su"), other("run/fifo", TarType::Fifo), device,
                     disk});
}

TEST(Tar, WhatUstarCanNotHoldGoesIntoPax) {
  Item big = file("numbers", "1");
  big.entry.uid = UINT32_MAX - 1;
  big.entry.gid = 3'000'000;
  big.entry.mtime = {.tv_sec = 9'000'000'000, .tv_nsec = 123'456'789};
  Item older = file("older", "3");
  older.entry.mtime = {.tv_sec = -5, .tv_nsec = 0};
  Item attributes = file("attributes", "4");
  using namespace std::string_literals;
  attributes.entry.xattrs = {{"security.capability", "\x01\0\0\x02\0\x20\0\0\0\n\0=\0"s},
                             {"user.note", "hello"}};
  expect_round_trip({big, older, attributes});
}

TEST(Tar, TimesBeforeTheEpochCountDownFromZero) {
  Item old = file("old", "");
  old.entry.mtime = {.tv_sec = -2, .tv_nsec = 500'000'000};
  EXPECT_NE(archive_of({old}).find("14 mtime=-1.5\n"), std::string::npos);
}

TEST(Tar, NamesOfEveryLengthRoundTrip) {
  std::vector<Item> items;
  for (std::size_t length = 1; length < 600; length += 7) {
    items.push_back(file(std::string(length, 'n'), "x"));
    std::string nested;
    while (nested.size() < length) nested += "directory/";
    items.push_back(other(nested, TarType::Directory));
    items.push_back(other(nested + "l", TarType::Symlink, std::string(length, 't')));
  }
  expect_round_trip(items);
}

TEST(Tar, NamesAreBytes) {
  ASSERT_STREQ(std::setlocale(LC_ALL, nullptr), "C");
  // Composed, decomposed, not UTF-8 at all, and with what a shell would trip over.
  expect_round_trip({file("\xc3\xa9", "1"), file("e\xcc\x81", "2"), file("\xff\xfe", "3"),
                     file("a b\n\"'\\", "4"), other("l\xc3\xa9", TarType::Symlink, "e\xcc\x81/\xff"),
                     file(std::string(150, 'x') + "e\xcc\x81", "5"),
                     file(std::string(150, 'x') + "\xff", "6")});
}

TEST(Tar, OutputIsDeterministic) {
  Item one = file("f", "x");
  one.entry.xattrs = {{"user.b", "2"}, {"user.a", "1"}};
  Item two = one;
  std::swap(two.entry.xattrs[0], two.entry.xattrs[1]);
  EXPECT_EQ(archive_of({one}), archive_of({two}));
  EXPECT_EQ(archive_of({}).size(), 1024U);
  EXPECT_EQ(archive_of({file("f", "x")}).size(), 2048U) << "no pax header where ustar suffices";
}

TEST(Tar, EmptyInputIsAnEmptyArchive) {
  EXPECT_TRUE(read("")->empty());
  EXPECT_TRUE(read(std::string(10240, '\0'))->empty());
}

TEST(Tar, DamageIsAnError) {
  const std::string good = archive_of({file("a", std::string(3000, 'a')), file("b", "b")});
  EXPECT_TRUE(read("<html>not found</html>").failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_FALSE(read(good.substr(0, 700)));
  EXPECT_FALSE(read(good.substr(0, 2000)));
  std::string checksum = good;
  checksum[0] = 'z';
  EXPECT_FALSE(read(checksum));
}

TEST(Tar, ErrorsOfTheSourceComeThrough) {
  class Broken final : public base::ByteSource {
   public:
    base::Result<std::size_t> read(std::span<char> /*buffer*/) override { return base::unavailable("gone"); }
  } source;
  TarReader reader{source};
  TarEntry entry;
  EXPECT_TRUE(reader.next(entry).failed_as(base::ErrorKind::Unavailable));
}

TEST(Tar, SkipsWhatWasNotRead) {
  const std::string bytes = archive_of({file("a", std::string(100'000, 'a')), file("b", "tail")});
  base::StringSource source{bytes};
  TarReader reader{source};
  TarEntry entry;
  ASSERT_TRUE(reader.next(entry).value());
  ASSERT_TRUE(reader.next(entry).value());
  EXPECT_EQ(entry.path, "b");
  EXPECT_EQ(base::read_all(reader.data(), 100).value(), "tail");
  EXPECT_FALSE(reader.next(entry).value());
}

}  // namespace
}  // namespace codec
