#include "cli/progress/meter.h"

#include "flags/units.h"

namespace cli {

namespace {

constexpr std::string_view kClearLine = "\r\033[K";

}  // namespace

void Meter::show(std::uint64_t bytes) {
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  drawn_ = true;
  out_.print("{}{} - {}", kClearLine, what_, flags::human_size(static_cast<double>(bytes), 3));
}

void Meter::clear() {
  if (drawn_) out_.write(kClearLine);
  drawn_ = false;
}

base::Result<std::size_t> MeteredSource::read(std::span<char> buffer) {
  const std::size_t count = TRY(source_.read(buffer));
  bytes_ += count;
  meter_.show(bytes_);
  return count;
}

Waiting::Waiting(Output& out, std::string what) : out_{out}, what_{std::move(what)} {
  if (out_.is_terminal()) thread_.emplace([this] { run(); });
}

Waiting::~Waiting() {
  if (!thread_) return;
  {
    const std::lock_guard lock{mutex_};
    done_ = true;
  }
  changed_.notify_all();
  thread_->join();
}

void Waiting::run() {
  const auto start = std::chrono::steady_clock::now();
  bool drawn = false;
  std::unique_lock lock{mutex_};
  while (!changed_.wait_for(lock, std::chrono::seconds{1}, [this] { return done_; })) {
    const auto taken = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start);
    out_.print("{}{} … {} s", kClearLine, what_, taken.count());
    drawn = true;
  }
  if (drawn) out_.write(kClearLine);
}

}  // namespace cli
