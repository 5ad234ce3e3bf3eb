#include "logs/detail/remote_log.h"

#include <algorithm>
#include <array>

#include <sys/socket.h>

#include "base/log.h"
#include "codec/describe.h"
#include "logs/detail/encoder.h"
#include "logs/detail/log_file.h"
#include "logs/detail/options.h"
#include "sys/companion.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/stream_socket.h"

namespace logs::detail {
namespace {

using base::Result;
using namespace std::chrono_literals;

constexpr std::string_view kProgram = "caisson-log";
/// Longer than caisson-log takes to give up.
constexpr auto kReadyPatience = 20s;
/// One that does not live long is not started again at once.
constexpr auto kRestartPause = 1s;
constexpr std::size_t kFrame = 64 * 1024;

Result<std::unique_ptr<Driver>> open_cache(const Config& config) {
  const auto options = TRY(cache_options(config));
  if (!options) return std::unique_ptr<Driver>{};
  // It never holds the container back: the lines go where they are wanted.
  return LogFile::open(config.path, make_local_encoder(), *options, {.blocking = false});
}

std::string frame(feed::Kind kind, std::string_view bytes, base::Time time) {
  const feed::Header header{static_cast<std::uint32_t>(bytes.size()), kind, time.time_since_epoch().count()};
  std::string out{reinterpret_cast<const char*>(&header), sizeof header};  // NOLINT: as feed.h has it
  return out.append(bytes);
}

}  // namespace

RemoteLog::RemoteLog(const Config& config, const DeliveryMode& mode, std::unique_ptr<Driver> cache)
    : config_{codec::to_json(config).dump()}, mode_{mode}, cache_{std::move(cache)} {}

Result<std::unique_ptr<Driver>> RemoteLog::open(const Config& config) {
  const DeliveryMode mode = TRY(delivery_mode(config));
  auto cache = TRY(open_cache(config));
  std::unique_ptr<RemoteLog> log{new RemoteLog{config, mode, std::move(cache)}};
  const std::string intent = "failed to initialize logging driver";
  TRY(log->start().context(intent));
  TRY(log->await_ready().context(intent));
  TRY(sys::set_nonblocking(log->feed_.get(), true));
  return std::unique_ptr<Driver>{std::move(log)};
}

Result<> RemoteLog::start() {
  started_ = std::chrono::steady_clock::now();
  auto pair = TRY(sys::make_socket_pair(SOCK_STREAM));
  const sys::UniqueFd null = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDWR));
  const std::string program = TRY(sys::find_companion(kProgram));
  // Its complaints stand where the shim's do. It outlives the shim by what is still to be sent.
  TRY(sys::spawn({.path = program,
                  .argv = {std::string{kProgram}},
                  .fds = {{null.get(), 0}, {null.get(), 1}, {2, 2}, {pair.second.get(), feed::kDescriptor}},
                  .cwd = "/",
                  .orphan = true}));
  CRASH_POINT("logs.remote.started");
  feed_ = std::move(pair.first);
  broken_ = false;
  // A frame of which only the start was read is sent once more.
  sent_ = 0;
  queue_.push_front(frame(feed::Kind::Config, config_, {}));
  queued_ += queue_.front().size();
  return {};
}

Result<> RemoteLog::await_ready() {
  TRY(flush());
  std::string said;
  const auto deadline = std::chrono::steady_clock::now() + kReadyPatience;
  while (said != feed::kReady) {
    std::array<char, 4096> buffer{};
    if (!TRY(sys::wait_ready(feed_.get(), POLLIN, deadline))) {
      return base::unavailable("caisson-log does not answer");
    }
    const auto count = TRY(sys::receive_now(feed_.get(), buffer));
    if (count && *count == 0) return base::unavailable(said.empty() ? "caisson-log ended unexpectedly" : said);
    said.append(buffer.data(), count.value_or(0));
  }
  return {};
}

void RemoteLog::enqueue(std::string frame) {
  queued_ += frame.size();
  queue_.push_back(std::move(frame));
}

void RemoteLog::put(feed::Kind kind, std::string_view bytes, base::Time time) {
  // docker's ring takes no more when it is full, so that what is there stays in one piece.
  if (!mode_.blocking && pending() > 0 && pending() + bytes.size() > mode_.buffer_bytes) return;
  enqueue(frame(kind, bytes, time));
}

Result<> RemoteLog::write(Stream stream, std::string_view bytes, base::Time time) {
  if (cache_) base::ignore(cache_->write(stream, bytes, time), "a copy");
  // Only here, where nobody watches the old socket: Driver::writable_fd().
  if (bytes.empty() && broken_ && std::chrono::steady_clock::now() - started_ >= kRestartPause) {
    base::log::error("caisson-log ended unexpectedly and is started again");
    TRY(start());
    TRY(sys::set_nonblocking(feed_.get(), true));
  }
  while (!bytes.empty()) {
    put(stream == Stream::Stdout ? feed::Kind::Stdout : feed::Kind::Stderr, bytes.substr(0, kFrame), time);
    bytes.remove_prefix(std::min(bytes.size(), kFrame));
  }
  return flush();
}

Result<> RemoteLog::end(Stream stream) {
  if (cache_) base::ignore(cache_->end(stream), "a copy");
  enqueue(frame(stream == Stream::Stdout ? feed::Kind::StdoutEnd : feed::Kind::StderrEnd, {}, base::now()));
  return flush();
}

Result<> RemoteLog::flush() {
  while (!queue_.empty() && !broken_) {
    const auto count = sys::send_now(feed_.get(), std::string_view{queue_.front()}.substr(sent_));
    if (!count) {
      broken_ = true;
      break;
    }
    if (!*count) break;
    sent_ += **count;
    if (sent_ < queue_.front().size()) continue;
    queued_ -= sent_;
    sent_ = 0;
    queue_.pop_front();
  }
  if (queue_.empty()) return {};
  if (broken_) return base::unavailable("caisson-log is gone");
  return mode_.blocking ? Result<>{base::unavailable("the receiver of the log does not keep up")} : Result<>{};
}

std::string_view RemoteLog::unfinished(Stream stream) const {
  return cache_ ? cache_->unfinished(stream) : std::string_view{};
}

std::optional<std::string> RemoteLog::take_rotated() { return cache_ ? cache_->take_rotated() : std::nullopt; }

void RemoteLog::compressed() {
  if (cache_) cache_->compressed();
}

void RemoteLog::trim() {
  if (cache_) cache_->trim();
}

}  // namespace logs::detail
