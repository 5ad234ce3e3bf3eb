#include "cli/context/archive.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/context/zip.h"
#include "codec/plain_tar.h"
#include "tree/names.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

constexpr std::size_t kMaxArchive = std::size_t{10} << 20U;
constexpr std::string_view kMeta = "meta.json";
constexpr std::string_view kTls = "tls/";

Result<> check_path(const std::string& path) {
  if (path != kMeta && !path.starts_with(kTls)) return base::invalid("unexpected context file");
  const auto clean = tree::clean_path(path, 4096);
  if (!clean || *clean != path) return base::invalid("unexpected path format");
  if (path.find('\\') != std::string::npos) return base::invalid("unexpected '\\' in path");
  return {};
}

/// Takes the files as they come.
class Collector {
 public:
  Result<> add(const std::string& path, std::string contents) {
    TRY(check_path(path).context(path));
    if (path == kMeta) {
      out_.meta = TRY(Json::parse(contents).context(path));
      if (!out_.meta.is_object()) return base::invalid(path + ": no JSON object");
      return {};
    }
    const auto parts = base::split(path, '/');
    if (parts.size() != 3) return base::invalid(path + ": archive format is invalid");
    out_.tls[std::string{parts[1]}][std::string{parts[2]}] = std::move(contents);
    return {};
  }
  Result<ContextArchive> take() {
    if (out_.meta.is_null()) return base::invalid("invalid context: no metadata found");
    return std::move(out_);
  }

 private:
  ContextArchive out_;
};

}  // namespace

Result<> write_context(base::ByteSink& sink, const ContextArchive& context) {
  codec::TarWriter tar{sink};
  const auto file = [&](std::string path, std::string_view contents, std::uint32_t mode) -> Result<> {
    TRY(tar.add({.path = std::move(path),
                 .type = codec::TarType::File,
                 .mode = mode,
                 .size = contents.size(),
                 .link_target = {},
                 .xattrs = {}}));
    return tar.write(contents);
  };
  const auto folder = [&](std::string path) {
    return tar.add({.path = std::move(path),
                    .type = codec::TarType::Directory,
                    .mode = 0700,
                    .link_target = {},
                    .xattrs = {}});
  };
  TRY(file(std::string{kMeta}, context.meta.dump(), 0644));
  TRY(folder("tls"));
  for (const auto& [endpoint, files] : context.tls) {
    TRY(folder("tls/" + endpoint));
    for (const auto& [name, contents] : files) TRY(file(fmt::format("tls/{}/{}", endpoint, name), contents, 0600));
  }
  return tar.finish();
}

Result<ContextArchive> read_context(base::ByteSource& source) {
  const std::string bytes = TRY(base::read_all(source, kMaxArchive).context("read the archive"));
  Collector collector;
  if (is_zip(bytes)) {
    for (auto& [path, contents] : TRY(read_zip(bytes, kMaxArchive))) TRY(collector.add(path, std::move(contents)));
    return collector.take();
  }
  base::StringSource memory{bytes};
  codec::PlainTarReader tar{memory};
  codec::TarEntry entry;
  while (TRY(tar.next(entry).context("read the archive"))) {
    if (entry.type != codec::TarType::File) continue;
    // The whole archive is in memory, so that no file of it is larger.
    std::string contents;
    codec::TarBlock block;
    while (TRY(tar.next_block(block).context(entry.path))) contents += block.bytes;
    TRY(collector.add(entry.path, std::move(contents)));
  }
  return collector.take();
}

}  // namespace cli
