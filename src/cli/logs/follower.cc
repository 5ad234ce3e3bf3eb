#include "cli/logs/follower.h"

#include <array>

#include <fmt/format.h>

#include "cli/stream/daemon_return.h"

namespace cli {

using base::Result;

bool LogPosition::is_new(std::string_view time) {
  if (resumed_) {
    // Times of one length compare as texts.
    if (time < time_) return false;
    if (time == time_ && seen_again_ < shown_) {
      ++seen_again_;
      return false;
    }
    resumed_ = false;
  }
  if (time == time_) {
    ++shown_;
  } else {
    time_ = time;
    shown_ = 1;
  }
  return true;
}

Result<> LogFollower::run() {
  while (true) {
    const End end = TRY(once());
    if (!options_.follow) return {};
    if (end == End::Complete) {
      const auto more = goes_on();
      if (more && !*more) return {};
      if (!more && !client::is_connection_failure(more.error())) return more.error();
      if (more) continue;  // a daemon that ends in order closes its answers in order
    }
    auto absence = TRY(DaemonReturn::watch(cli_));
    TRY(absence.wait());
  }
}

Result<LogFollower::End> LogFollower::once() {
  client::LogsOptions options = options_;
  // Following needs the times to go on from; they are cut off again unless they are wanted.
  options.timestamps = options.timestamps || options.follow;
  if (!position_.since().empty()) {
    options.since = position_.since();
    options.tail = "all";
    position_.restart();
  }
  auto stream = client::Containers{client_}.logs(container_, options);
  if (!stream) {
    if (begun_ && client::is_connection_failure(stream.error())) return End::Broken;
    return stream.error();
  }
  begun_ = true;
  const bool framed = stream->multiplexed ? *stream->multiplexed : !TRY(has_tty());
  const auto copied = copy(*stream->bytes, framed);
  if (copied) return End::Complete;
  if (!options_.follow) return copied.error();
  return End::Broken;
}

Result<bool> LogFollower::has_tty() {
  if (!tty_) tty_ = TRY(client::Containers{client_}.inspect(container_)).config.tty;
  return *tty_;
}

Result<bool> LogFollower::goes_on() {
  const auto container = client::Containers{client_}.inspect(container_);
  if (container.failed_as(base::ErrorKind::NotFound)) return false;
  if (!container) return container.error();
  return container->state.running || container->state.restarting;
}

Result<> LogFollower::copy(http::Reply& bytes, bool framed) {
  constexpr std::size_t kBufferSize = std::size_t{64} << 10U;
  std::vector<char> buffer(kBufferSize);
  FrameReader frames;
  EntrySplitter entries{framed};
  bool shows = true;
  // Output of one read goes out in one write per stream.
  std::string out;
  std::string err;
  const auto flush = [&] {
    cli_.out().write(out);
    cli_.err().write(err);
    out.clear();
    err.clear();
  };
  const auto append = [&](FrameStream stream, std::string_view text) {
    std::string& mine = stream == FrameStream::Err ? err : out;
    std::string& other = stream == FrameStream::Err ? out : err;
    if (!other.empty()) flush();
    mine += text;
  };
  while (true) {
    const std::size_t count = TRY(bytes.read(buffer));
    if (count == 0) return {};
    const std::string_view text{buffer.data(), count};
    Result<> fed;
    if (options_.follow) {
      fed = entries.feed(text, [&](const LogPiece& piece) {
        if (piece.first) {
          shows = position_.is_new(piece.time);
          if (shows && options_.timestamps) append(piece.stream, fmt::format("{} ", piece.time));
        }
        if (shows) append(piece.stream, piece.text);
      });
    } else if (framed) {
      fed = frames.feed(text, [&](const FramePiece& piece) { append(piece.stream, piece.bytes); });
    } else {
      out += text;
    }
    flush();
    TRY(std::move(fed));
  }
}

}  // namespace cli
