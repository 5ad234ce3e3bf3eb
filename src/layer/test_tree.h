#pragma once
/// For tests: trees as text that can be compared, archives by hand, and a folder of one's own.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fmt/format.h>

#include "codec/sha256.h"
#include "codec/tar.h"
#include "sys/fd_stream.h"
#include "sys/file.h"
#include "sys/node.h"

namespace layer::testing {

class TemporaryDir {
 public:
  TemporaryDir() {
    std::string name = ::testing::TempDir() + "/caisson-layer-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;
  ~TemporaryDir() { EXPECT_TRUE(sys::remove_tree(sys::kCwd, path_)); }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// A new folder in it, opened.
  [[nodiscard]] sys::UniqueFd make(const std::string& name) const {
    EXPECT_TRUE(sys::make_dirs(sys::kCwd, path_ + "/" + name, 0755));
    return sys::open_dir(sys::kCwd, path_ + "/" + name).value();
  }
  /// 0, or the exit code.
  [[nodiscard]] int shell(const std::string& command) const {
    return std::system(("cd " + path_ + " && { " + command + "\n}").c_str());
  }

 private:
  std::string path_;
};

inline void describe_into(int dir, const std::string& prefix, std::map<std::string, std::string>& out,
                          std::map<ino_t, std::string>& first_names) {
  auto entries = sys::list_dir(dir).value();
  std::ranges::sort(entries, {}, &sys::DirEntry::name);
  for (const auto& entry : entries) {
    const auto status = sys::stat_at(dir, entry.name).value();
    const std::string path = prefix + entry.name;
    std::string text = fmt::format("{:06o} {}:{} {}.{:09}", status.st_mode, status.st_uid, status.st_gid,
                                   status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    if (S_ISLNK(status.st_mode)) text += " -> " + sys::read_link(dir, entry.name).value();
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
      text += fmt::format(" {},{}", ::major(status.st_rdev), ::minor(status.st_rdev));
    }
    const auto xattrs = sys::xattrs_at(dir, entry.name).value();
    for (const auto& [name, value] : xattrs) text += fmt::format(" {}={}", name, codec::sha256(value).str());
    if (S_ISREG(status.st_mode)) {
      const auto file = sys::open_at(dir, entry.name, O_RDONLY | O_NOFOLLOW).value();
      text += fmt::format(" {} bytes {}", status.st_size, codec::sha256_of_file(file.get())->str());
    }
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      const auto [first, is_new] = first_names.emplace(status.st_ino, path);
      text += fmt::format(" links={}{}", status.st_nlink, is_new ? "" : " = " + first->second);
    }
    out[path] = text;
    if (S_ISDIR(status.st_mode)) {
      describe_into(sys::open_dir(dir, entry.name)->get(), path + "/", out, first_names);
    }
  }
}

/// Everything about a tree but inode numbers: path → type, mode, owner, time, xattrs, content, links.
inline std::map<std::string, std::string> describe(int dir) {
  std::map<std::string, std::string> out;
  std::map<ino_t, std::string> first_names;
  describe_into(dir, "", out, first_names);
  return out;
}

inline codec::TarEntry tar_entry(std::string path, codec::TarType type = codec::TarType::Directory) {
  codec::TarEntry entry;
  entry.path = std::move(path);
  entry.type = type;
  entry.mode = type == codec::TarType::Directory ? 0755 : 0644;
  entry.mtime.tv_sec = 1'700'000'000;
  return entry;
}

/// An archive in memory: TarMaker{}.dir("etc").file("etc/x", "text").done().
class TarMaker {
 public:
  TarMaker& add(codec::TarEntry entry, std::string_view content = {}) {
    entry.size = entry.type == codec::TarType::File ? content.size() : 0;
    EXPECT_TRUE(writer_.add(entry));
    EXPECT_TRUE(writer_.write(content));
    return *this;
  }
  TarMaker& dir(std::string path) { return add(tar_entry(std::move(path))); }
  TarMaker& file(std::string path, std::string_view content = "text") {
    return add(tar_entry(std::move(path), codec::TarType::File), content);
  }
  TarMaker& symlink(std::string path, std::string target) {
    return link(std::move(path), std::move(target), codec::TarType::Symlink);
  }
  TarMaker& hard_link(std::string path, std::string target) {
    return link(std::move(path), std::move(target), codec::TarType::HardLink);
  }
  std::string done() {
    EXPECT_TRUE(writer_.finish());
    return sink_.text;
  }

 private:
  TarMaker& link(std::string path, std::string target, codec::TarType type) {
    auto entry = tar_entry(std::move(path), type);
    entry.link_target = std::move(target);
    return add(std::move(entry));
  }

  base::StringSink sink_;
  codec::TarWriter writer_{sink_};
};

}  // namespace layer::testing
