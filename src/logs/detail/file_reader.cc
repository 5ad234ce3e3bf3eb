#include "logs/detail/file_reader.h"

#include <algorithm>
#include <array>

#include "logs/detail/gzip_file.h"

namespace logs::detail {

using base::Result;

Result<std::unique_ptr<Reader>> FileReader::open(const std::string& path, std::unique_ptr<Format> format,
                                                 const ReadOptions& options) {
  std::unique_ptr<FileReader> reader{new FileReader{path, std::move(format), options}};
  // Watch first: what is written between the two is then seen twice at worst, by a wake-up for nothing.
  if (options.follow) TRY(reader->start_watching());
  TRY(reader->position());
  return std::unique_ptr<Reader>{std::move(reader)};
}

Result<> FileReader::start_watching() {
  sys::Inotify inotify = TRY(sys::Inotify::create());
  TRY(inotify.watch(directory_of(path_), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR));
  sys::UniqueFd wake = TRY(sys::make_eventfd(0, O_NONBLOCK));
  sys::Epoll epoll = TRY(sys::Epoll::create());
  TRY(epoll.add(inotify.fd(), EPOLLIN, 0));
  TRY(epoll.add(wake.get(), EPOLLIN, 0));
  watch_.emplace(Watch{std::move(inotify), std::move(wake), std::move(epoll)});
  return {};
}

Result<> FileReader::expand(Segment& segment) {
  if (!segment.compressed) return {};
  segment.file = TRY(detail::expand(segment.file.get(), directory_of(path_)));
  segment.compressed = false;
  return {};
}

Result<> FileReader::position() {
  auto segments = TRY(open_segments(path_, std::nullopt));
  std::size_t first = 0;
  std::uint64_t offset = 0;
  std::uint64_t missing = options_.tail.value_or(0);
  // From the youngest back, as far as something wanted can be: older files are not even opened up.
  for (std::size_t i = segments.size(); i > 0; --i) {
    Segment& segment = segments[i - 1];
    const bool youngest = i == segments.size();
    TRY(expand(segment));
    const int file = segment.file.get();
    const auto size = static_cast<std::uint64_t>(TRY(sys::stat_fd(file)).st_size);
    if (youngest) {
      last_ = segment.id;
      last_size_ = size;
    }
    first = i - 1;
    offset = 0;
    bool enough = false;
    if (options_.tail) {
      const std::uint64_t found = TRY(format_->offset_of_last(file, size, missing, options_));
      offset = found;
      enough = missing == 0;
    }
    if (options_.since) {
      const auto begins = TRY(first_time(*format_, file));
      if (begins && *begins < *options_.since) {
        offset = std::max(offset, TRY(offset_of_time(*format_, file, size, *options_.since)));
        enough = true;
      }
    }
    if (enough) break;
    if (!options_.tail && !options_.since) {
      first = 0;
      break;
    }
  }
  for (std::size_t i = first; i < segments.size(); ++i) waiting_.push_back(std::move(segments[i]));
  return waiting_.empty() ? Result<>{} : next_segment(offset);
}

Result<> FileReader::next_segment(std::uint64_t offset) {
  if (cursor_ && cursor_->has_rest()) ++skipped_;
  current_ = std::move(waiting_.front());
  waiting_.pop_front();
  drained_ = false;
  TRY(expand(*current_));
  cursor_ = format_->cursor(current_->file.get(), offset);
  return {};
}

Result<bool> FileReader::more() {
  if (!waiting_.empty()) {
    // What was written to this file before the next one came has to be read first.
    if (!std::exchange(drained_, true) && current_) return true;
    TRY(next_segment(0));
    return true;
  }
  if (!options_.follow) return false;
  const auto now = TRY(current_file(path_));
  if (!now || (current_ && *now == current_->id)) return false;
  const std::optional<FileId> after = current_ ? std::optional{current_->id} : std::nullopt;
  for (auto& segment : TRY(open_segments(path_, after))) waiting_.push_back(std::move(segment));
  drained_ = false;
  return !waiting_.empty();
}

bool FileReader::wanted(const Entry& entry) const {
  if (options_.since && entry.time < *options_.since) return false;
  return entry.stream == Stream::Stdout ? options_.out : options_.err;
}

Result<Reader::Step> FileReader::step(Entry& entry) {
  while (true) {
    // Read before the files are: what the writer wrote before it finished is then seen for sure.
    const bool finished = finished_.load();
    if (current_) {
      if (!options_.follow && last_ && current_->id == *last_ && cursor_->offset() >= last_size_) return Step::End;
      const auto record = TRY(cursor_->next());
      if (record) {
        if (!format_->read(*record, entry)) {
          ++skipped_;
          continue;
        }
        if (options_.until && entry.time > *options_.until) return Step::End;
        if (wanted(entry)) return Step::Entry;
        continue;
      }
    }
    if (watch_) {
      watch_->inotify.drain();
      std::array<char, 8> counter{};
      base::ignore(sys::read_some(watch_->wake.get(), counter), "it says nothing beyond having been readable");
    }
    if (TRY(more())) continue;
    // Between the last read and the drain something may have come, whose event is now drained.
    if (watch_ && current_) {
      const auto size = static_cast<std::uint64_t>(TRY(sys::stat_fd(current_->file.get())).st_size);
      if (size > cursor_->end()) continue;
    }
    if (finished_.load() != finished) continue;
    const bool over = options_.until && base::now() > *options_.until;
    if (!options_.follow || finished || over) {
      if (cursor_ && cursor_->has_rest()) ++skipped_;
      return Step::End;
    }
    return Step::Wait;
  }
}

void FileReader::finish() {
  finished_.store(true);
  wake();
}

void FileReader::wake() {
  if (!watch_) return;
  const std::uint64_t one = 1;
  base::ignore(sys::write_some(watch_->wake.get(), {reinterpret_cast<const char*>(&one), sizeof one}),  // NOLINT
               "a full counter is readable too");
}

}  // namespace logs::detail
