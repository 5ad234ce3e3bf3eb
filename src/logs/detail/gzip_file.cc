#include "logs/detail/gzip_file.h"

#include <array>
#include <vector>

#include <zlib.h>

#include "base/scope_guard.h"
#include "logs/driver.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace logs {
namespace {

using base::Result;

constexpr std::size_t kBlock = 64 * 1024;
/// Window bits with 16 added: a gzip header and trailer. 15 is zlib's largest window.
constexpr int kGzip = 15 + 16;

Bytef* as_bytes(char* text) { return reinterpret_cast<Bytef*>(text); }  // NOLINT: zlib's API

Result<> deflate_into(int from, int to) {
  std::vector<char> in(kBlock);
  std::vector<char> out(kBlock);
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return base::internal("zlib can't start");
  }
  const base::ScopeGuard end{[&] { deflateEnd(&stream); }};
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    const std::size_t count = TRY(sys::read_some(from, in));
    stream.next_in = as_bytes(in.data());
    stream.avail_in = static_cast<uInt>(count);
    do {
      stream.next_out = as_bytes(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      state = deflate(&stream, count == 0 ? Z_FINISH : Z_NO_FLUSH);
      TRY(sys::write_all(to, {out.data(), out.size() - stream.avail_out}));
    } while (stream.avail_out == 0);
  }
  return {};
}

Result<> inflate_into(int from, int to) {
  std::vector<char> in(kBlock);
  std::vector<char> out(kBlock);
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) return base::internal("zlib can't start");
  const base::ScopeGuard end{[&] { inflateEnd(&stream); }};
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    const std::size_t count = TRY(sys::read_some(from, in));
    if (count == 0) return base::invalid("a compressed log is cut off");
    stream.next_in = as_bytes(in.data());
    stream.avail_in = static_cast<uInt>(count);
    while (state != Z_STREAM_END && (stream.avail_in > 0 || stream.avail_out == 0)) {
      stream.next_out = as_bytes(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      state = inflate(&stream, Z_NO_FLUSH);
      if (state == Z_BUF_ERROR) {
        state = Z_OK;
        break;
      }
      if (state != Z_OK && state != Z_STREAM_END) return base::invalid("a compressed log is damaged");
      TRY(sys::write_all(to, {out.data(), out.size() - stream.avail_out}));
    }
  }
  return {};
}

}  // namespace

Result<> compress_file(const std::string& path) {
  const std::string temporary = path + ".gz.tmp";
  base::ScopeGuard undo{[&] { base::ignore(sys::unlink_at(sys::kCwd, temporary), "best effort"); }};
  const sys::UniqueFd from = TRY(sys::open_at(sys::kCwd, path, O_RDONLY));
  const auto status = TRY(sys::stat_fd(from.get()));
  {
    const sys::UniqueFd to =
        TRY(sys::open_at(sys::kCwd, temporary, O_WRONLY | O_CREAT | O_TRUNC, status.st_mode & 0777U));
    TRY(deflate_into(from.get(), to.get()).context("compress " + path));
  }
  CRASH_POINT("logs.compress.written");
  // A shim that was killed doesn't hold the rotation back any more: the name may be another file's now.
  const auto now = TRY(sys::stat_at(sys::kCwd, path));
  if (now.st_ino != status.st_ino) return base::conflict(path + " was rotated while it was compressed");
  TRY(sys::rename_at(sys::kCwd, temporary, sys::kCwd, path + ".gz"));
  undo.release();
  return sys::unlink_at(sys::kCwd, path);
}

namespace detail {

Result<sys::UniqueFd> expand(int gzip_file, const std::string& directory) {
  sys::UniqueFd plain =
      TRY(sys::open_at(sys::kCwd, directory, O_RDWR | O_TMPFILE, 0600).context("expand a compressed log"));
  TRY(inflate_into(gzip_file, plain.get()));
  return plain;
}

}  // namespace detail
}  // namespace logs
