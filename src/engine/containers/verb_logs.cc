#include "engine/containers/launch.h"
#include "engine/containers/verbs.h"
#include "logs/reader.h"

namespace engine {
namespace {

class Reader final : public LogReader, public LogFollower {
 public:
  explicit Reader(std::unique_ptr<logs::Reader> reader) : reader_{std::move(reader)} {}

  base::Result<bool> next(LogEntry& entry, std::stop_token stop) override {
    if (!TRY(reader_->next(found_, std::move(stop)))) return false;
    entry.stream = found_.stream == logs::Stream::Stdout ? LogEntry::Stream::Stdout : LogEntry::Stream::Stderr;
    entry.time = found_.time;
    entry.line.swap(found_.line);
    entry.attributes.swap(found_.attributes);
    return true;
  }
  void finish() override { reader_->finish(); }

 private:
  std::unique_ptr<logs::Reader> reader_;
  logs::Entry found_;
};

/// What the caller owns; the container knows the reader behind it weakly.
class Handle final : public LogReader {
 public:
  explicit Handle(std::shared_ptr<Reader> reader) : reader_{std::move(reader)} {}
  base::Result<bool> next(LogEntry& entry, std::stop_token stop) override {
    return reader_->next(entry, std::move(stop));
  }

 private:
  std::shared_ptr<Reader> reader_;
};

}  // namespace

base::Result<std::unique_ptr<LogReader>> logs(Core& core, const ContainerPtr& container, const LogOptions& options) {
  if (!options.out && !options.err) return base::invalid("You must choose at least one stream");
  const auto record = container->record();
  TRY(advance(record->state, Step::Logs, record->id));
  logs::ReadOptions read{.out = options.out, .err = options.err, .since = options.since, .until = options.until,
                         .tail = options.tail, .follow = options.follow};
  auto reader = std::make_shared<Reader>(TRY(logs::Reader::open(log_config(core, *record), read)));
  if (options.follow) container->add_follower(reader);
  return std::unique_ptr<LogReader>{new Handle{std::move(reader)}};
}

}  // namespace engine
