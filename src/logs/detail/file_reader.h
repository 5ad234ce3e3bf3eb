#pragma once
/// Reads logs that are files: the segments one after the other, then the growing one.

#include <atomic>
#include <deque>

#include "logs/detail/format.h"
#include "logs/detail/segments.h"
#include "logs/reader.h"
#include "sys/epoll.h"
#include "sys/inotify.h"

namespace logs::detail {

class FileReader final : public Reader {
 public:
  static base::Result<std::unique_ptr<Reader>> open(const std::string& path, std::unique_ptr<Format> format,
                                                    const ReadOptions& options);

  base::Result<Step> step(Entry& entry) override;
  [[nodiscard]] int fd() const override { return watch_ ? watch_->epoll.fd() : -1; }
  void finish() override;
  [[nodiscard]] std::uint64_t skipped() const override { return skipped_; }

 protected:
  void wake() override;
  [[nodiscard]] std::optional<base::Time> until() const override { return options_.until; }

 private:
  /// Only when following.
  struct Watch {
    sys::Inotify inotify;
    sys::UniqueFd wake;
    sys::Epoll epoll;
  };

  FileReader(std::string path, std::unique_ptr<Format> format, const ReadOptions& options)
      : path_{std::move(path)}, format_{std::move(format)}, options_{options} {}

  base::Result<> start_watching();
  /// Goes to the first entry that is wanted.
  base::Result<> position();
  base::Result<> expand(Segment& segment);
  base::Result<> next_segment(std::uint64_t offset);
  /// At the end of what there is: whether there is more after all (a younger segment).
  base::Result<bool> more();
  [[nodiscard]] bool wanted(const Entry& entry) const;

  const std::string path_;
  const std::unique_ptr<Format> format_;
  const ReadOptions options_;
  std::optional<Watch> watch_;
  std::atomic<bool> finished_{false};

  std::deque<Segment> waiting_;  ///< younger than current_
  std::optional<Segment> current_;
  std::unique_ptr<Cursor> cursor_;  ///< of current_
  /// Without following: where the youngest file ended when we came; a writer that is faster than the
  /// reader must not make it endless.
  std::optional<FileId> last_;
  std::uint64_t last_size_ = 0;
  bool drained_ = false;  ///< current_ was read to its end after younger ones were seen
  std::uint64_t skipped_ = 0;
};

}  // namespace logs::detail
