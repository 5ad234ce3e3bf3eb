/// Whatever an archive says, nothing outside of the folder it is unpacked into changes.
///
/// Input: a byte. If it is even, the rest is an archive (plain, gzip or zstd). If it is odd, the rest
/// is a list of entries made of few names, so that the interesting ones (links that lead out, folders
/// that become links, whiteouts) come up often: type, name, target, three bytes each.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <unistd.h>

#include "codec/tar.h"
#include "layer/apply.h"
#include "layer/diff.h"
#include "sys/file.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

/// <temporary>/root is unpacked into, <temporary>/victim must stay as it is.
struct Arena {
  Arena() {
    std::string name = "/tmp/caisson-fuzz-XXXXXX";
    path = ::mkdtemp(name.data());
    require(sys::make_dirs(sys::kCwd, path + "/victim", 0755).has_value());
    require(sys::write_file_atomic(sys::kCwd, path + "/victim/file", "unharmed").has_value());
  }
  ~Arena() { base::ignore(sys::remove_tree(sys::kCwd, path), "the process ends"); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void check() const {
    require(sys::list_dir(sys::kCwd, path)->size() == 2);
    require(sys::list_dir(sys::kCwd, path + "/victim")->size() == 1);
    const auto status = sys::stat_at(sys::kCwd, path + "/victim/file").value();
    require(status.st_nlink == 1 && (status.st_mode & 07777U) == 0644 && status.st_uid == ::getuid());
    require(sys::read_file(sys::kCwd, path + "/victim/file").value() == "unharmed");
    require((sys::stat_at(sys::kCwd, path + "/victim")->st_mode & 07777U) == 0755);
  }

  std::string path;
};

std::string entries(const Arena& arena, std::string_view recipe) {
  const std::array<std::string, 20> names{"a",
                                          "b",
                                          "a/b",
                                          "a/../b",
                                          "a/../../victim/file",
                                          "../victim",
                                          "victim",
                                          ".wh.a",
                                          ".wh..wh..opq",
                                          "a/.wh.b",
                                          "./",
                                          "/",
                                          "..",
                                          "../victim/file",
                                          "a/b/c",
                                          "/a/b",
                                          ".wh...",
                                          arena.path + "/victim",
                                          arena.path + "/victim/file",
                                          "a/file"};
  base::StringSink sink;
  codec::TarWriter writer{sink};
  while (recipe.size() >= 3) {
    codec::TarEntry entry;
    entry.type = static_cast<codec::TarType>(static_cast<unsigned char>(recipe[0]) % 7U);
    entry.path = names[static_cast<unsigned char>(recipe[1]) % names.size()];
    entry.mode = 0700U | (static_cast<unsigned char>(recipe[0]) & 077U);
    entry.uid = 1;
    const bool link = entry.type == codec::TarType::Symlink || entry.type == codec::TarType::HardLink;
    if (link) entry.link_target = names[static_cast<unsigned char>(recipe[2]) % names.size()];
    if (entry.type == codec::TarType::File) entry.size = 4;
    require(writer.add(entry).has_value());
    if (entry.size > 0) require(writer.write("evil").has_value());
    recipe.remove_prefix(3);
  }
  require(writer.finish().has_value());
  return sink.text;
}

class NullSink final : public base::ByteSink {
 public:
  base::Result<> write(std::string_view /*bytes*/) override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static const Arena kArena;
  const std::string_view rest{reinterpret_cast<const char*>(data + 1), size - 1};
  const std::string archive = (data[0] & 1U) != 0 ? entries(kArena, rest) : std::string{rest};

  require(sys::make_dirs(sys::kCwd, kArena.path + "/root", 0755).has_value());
  const sys::UniqueFd root = sys::open_dir(sys::kCwd, kArena.path + "/root").value();
  base::StringSource blob{archive};
  const layer::Limits limits{.tar_bytes = std::uint64_t{4} << 20U, .entries = 200};
  const auto applied = layer::apply(blob, root.get(), limits);
  kArena.check();
  if (applied) {
    NullSink sink;
    require(layer::write_changes(root.get(), sink).has_value());
  } else {
    require(!applied.error().message().empty());
  }
  base::StringSource again{archive};
  base::ignore(layer::extract(again, root.get(), {.limits = limits}), "only what it leaves alone counts");
  kArena.check();
  require(sys::remove_tree(sys::kCwd, kArena.path + "/root").has_value());
  return 0;
}
