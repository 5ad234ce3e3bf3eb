#include "logs/detail/log_file.h"

#include "logs/detail/rotation.h"
#include "logs/detail/segments.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace logs::detail {
namespace {

using base::Result;

/// Lines are collected up to here before they are written: one write(2) for many lines.
constexpr std::size_t kBatch = 128 * 1024;
constexpr mode_t kMode = 0640;

}  // namespace

Result<std::unique_ptr<Driver>> LogFile::open(const std::string& path, std::unique_ptr<Encoder> encoder,
                                              const RotationOptions& options, const DeliveryMode& mode) {
  // docker gives "local" a directory of its own.
  TRY(sys::make_dirs(sys::kCwd, directory_of(path), 0700).context("make the log's directory"));
  std::unique_ptr<LogFile> driver{new LogFile{path, std::move(encoder), options, mode}};
  TRY(driver->open_file());
  return std::unique_ptr<Driver>{std::move(driver)};
}

Result<> LogFile::open_file() {
  file_ = TRY(sys::open_at(sys::kCwd, path_, O_RDWR | O_CREAT | O_APPEND, kMode).context("open the log"));
  size_ = static_cast<std::uint64_t>(TRY(sys::stat_fd(file_.get())).st_size);
  if (size_ > 0) out_.insert(0, TRY(encoder_->repair(file_.get(), size_).context("read the log")));
  return {};
}

Result<> LogFile::write(Stream stream, std::string_view bytes, base::Time time) {
  if (!out_.empty()) {
    auto flushed = flush();
    if (!flushed && mode_.blocking && bytes.empty()) return flushed;
    if (!flushed && !mode_.blocking && out_.size() + bytes.size() > mode_.buffer_bytes) return flushed;
  }
  if (bytes.empty()) return {};
  encoder_->begin(stream, time);
  lines_.feed(stream, bytes, [&](std::string_view text, bool complete) {
    base::ignore(make_room(), "a log that can't be rotated goes on growing");
    encoder_->append(out_, text, complete);
    if (out_.size() >= kBatch) base::ignore(flush(), "out_ keeps what did not fit; the last flush tells");
  });
  return flush();
}

Result<> LogFile::end(Stream stream) {
  encoder_->begin(stream, base::now());
  lines_.end(stream, [&](std::string_view text, bool complete) {
    base::ignore(make_room(), "a log that can't be rotated goes on growing");
    encoder_->append(out_, text, complete);
  });
  return flush();
}

Result<> LogFile::make_room() {
  // Docker's rule: a file that has reached its size before a line gets no more of them.
  if (!options_.max_size || size_ + out_.size() < *options_.max_size || compressing_) return {};
  TRY(flush());
  TRY(rotate(path_, options_.max_files));
  CRASH_POINT("logs.rotate.done");
  TRY(open_file());
  if (options_.compress) {
    rotated_ = rotated_name(path_, 1);
    compressing_ = true;
  }
  return {};
}

Result<> LogFile::flush() {
  std::string_view rest = out_;
  Result<> result = sys::inject("logs.write");
  while (result && !rest.empty()) {
    auto count = sys::write_some(file_.get(), rest);
    if (!count) {
      result = base::Error{count.error()}.context("write the log").as(base::ErrorKind::Unavailable);
    } else {
      size_ += *count;
      rest.remove_prefix(*count);
    }
  }
  out_.erase(0, out_.size() - rest.size());
  return result;
}

std::optional<std::string> LogFile::take_rotated() { return std::exchange(rotated_, std::nullopt); }

void LogFile::trim() {
  out_.shrink_to_fit();
  lines_.trim();
}

}  // namespace logs::detail
