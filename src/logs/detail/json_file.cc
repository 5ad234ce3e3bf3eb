#include "logs/detail/json_file.h"

#include <algorithm>

#include "logs/detail/line_writer.h"
#include "logs/detail/rotation.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace logs::detail {
namespace {

using base::Result;

/// Lines are collected up to here before they are written: one write(2) for many lines.
constexpr std::size_t kBatch = 128 * 1024;
constexpr mode_t kMode = 0640;

/// Where to cut a text that is too long: before a character that would be cut in two.
std::size_t cut_length(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back < text.size(); ++back) {
    const auto byte = static_cast<std::uint8_t>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

JsonFile::JsonFile(const Config& config, JsonFileOptions options, DeliveryMode mode)
    : path_{config.path}, attributes_{attributes_json(config.attributes)}, options_{options}, mode_{mode} {}

Result<std::unique_ptr<Driver>> JsonFile::open(const Config& config) {
  const JsonFileOptions options = TRY(json_file_options(config));
  const DeliveryMode mode = TRY(delivery_mode(config));
  std::unique_ptr<JsonFile> driver{new JsonFile{config, options, mode}};
  TRY(driver->open_file());
  return std::unique_ptr<Driver>{std::move(driver)};
}

Result<> JsonFile::open_file() {
  file_ = TRY(sys::open_at(sys::kCwd, path_, O_RDWR | O_CREAT | O_APPEND, kMode).context("open the log"));
  size_ = static_cast<std::uint64_t>(TRY(sys::stat_fd(file_.get())).st_size);
  if (size_ == 0) return {};
  char last = '\n';
  TRY(sys::read_at(file_.get(), {&last, 1}, size_ - 1).context("read the log"));
  if (last != '\n') out_.insert(0, "\n");
  return {};
}

Result<> JsonFile::write(Stream stream, std::string_view bytes, base::Time time) {
  if (!out_.empty()) {
    auto flushed = flush();
    if (!flushed && mode_.blocking && bytes.empty()) return flushed;
    if (!flushed && !mode_.blocking && out_.size() + bytes.size() > mode_.buffer_bytes) return flushed;
  }
  if (bytes.empty()) return {};
  const std::string suffix = line_suffix(stream, attributes_, time);
  std::string& start = carry(stream);
  while (!bytes.empty()) {
    const std::string_view window = bytes.substr(0, kLineLimit - start.size());
    const auto newline = window.find('\n');
    if (newline == std::string_view::npos && window.size() + start.size() < kLineLimit) {
      start.append(window);
      break;
    }
    std::size_t taken = newline == std::string_view::npos ? window.size() : newline + 1;
    std::string_view text = window.substr(0, newline);
    if (!start.empty()) text = start.append(text);
    if (newline != std::string_view::npos) {
      append(text, true, suffix);
      start.clear();
    } else {
      const std::size_t cut = cut_length(text);
      append(text.substr(0, cut), false, suffix);
      // What was cut off is at most three bytes, which came with this window or the one before it.
      start = std::string{text.substr(cut)};
    }
    bytes.remove_prefix(taken);
    if (out_.size() >= kBatch) base::ignore(flush(), "out_ keeps what did not fit; the last flush tells");
  }
  return flush();
}

void JsonFile::append(std::string_view text, bool complete, std::string_view suffix) {
  base::ignore(make_room(), "a log that can't be rotated goes on growing");
  out_ += R"({"log":")";
  append_escaped(out_, text);
  if (complete) out_ += "\\n";
  out_ += suffix;
}

Result<> JsonFile::end(Stream stream) {
  std::string& start = carry(stream);
  if (!start.empty()) {
    append(start, false, line_suffix(stream, attributes_, base::now()));
    start = {};
  }
  return flush();
}

Result<> JsonFile::make_room() {
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

Result<> JsonFile::flush() {
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

std::optional<std::string> JsonFile::take_rotated() { return std::exchange(rotated_, std::nullopt); }

void JsonFile::trim() {
  out_.shrink_to_fit();
  for (auto& start : carry_) {
    if (start.empty()) start = {};
  }
}

}  // namespace logs::detail
