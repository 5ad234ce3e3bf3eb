#include "forward/run.h"

#include <algorithm>
#include <cstdio>
#include <future>
#include <thread>

#include <unistd.h>

#include "base/log.h"
#include "codec/describe.h"
#include "forward/queue.h"
#include "forward/sink.h"
#include "logs/feed.h"
#include "sys/fd.h"
#include "sys/stream_socket.h"

namespace forward {
namespace {

using base::Result;
using logs::Stream;
using logs::feed::Kind;
using namespace std::chrono_literals;

/// What is not out so long after the end is lost.
constexpr auto kGrace = 10s;
/// The first tries after a failure come sooner than a receiver's own pause.
constexpr auto kFirstPause = 100ms;

struct Frame {
  logs::feed::Header header;
  std::string bytes;
};

/// All of `buffer`; false at the end of the stream, also within.
Result<bool> read_fully(int feed, std::span<char> buffer) {
  while (!buffer.empty()) {
    const std::size_t count = TRY(sys::read_some(feed, buffer));
    if (count == 0) return false;
    buffer = buffer.subspan(count);
  }
  return true;
}

Result<bool> read_frame(int feed, Frame& frame) {
  auto* head = reinterpret_cast<char*>(&frame.header);  // NOLINT: as feed.h has it
  if (!TRY(read_fully(feed, {head, sizeof frame.header}))) return false;
  if (frame.header.length > logs::feed::kLongest) return base::invalid("a frame of the feed is too long");
  frame.bytes.resize(frame.header.length);
  return read_fully(feed, frame.bytes);
}

/// From the feed into the queue, until its end.
Result<> read_feed(int feed, Queue& queue) {
  Assembler assembler;
  Frame frame;
  const auto push = [&](Message message) { queue.push(std::move(message)); };
  while (TRY(read_frame(feed, frame))) {
    const base::Time time{std::chrono::nanoseconds{frame.header.time}};
    switch (frame.header.kind) {
      case Kind::Stdout: assembler.feed(Stream::Stdout, frame.bytes, time, push); break;
      case Kind::Stderr: assembler.feed(Stream::Stderr, frame.bytes, time, push); break;
      case Kind::StdoutEnd: assembler.end(Stream::Stdout, time, push); break;
      case Kind::StderrEnd: assembler.end(Stream::Stderr, time, push); break;
      case Kind::Config: break;
    }
  }
  return {};
}

/// From the queue to the sink, until it is closed and empty, or its grace is over.
void send_all(Queue& queue, Sink& sink) {
  const Sink::Patience patience = sink.patience();
  std::uint64_t tries = 0;
  bool told = false;
  while (true) {
    const std::vector<Message> batch = queue.peek();
    if (batch.empty()) return;
    std::size_t done = 0;
    auto sent = sink.send(batch, done);
    queue.drop(done);
    if (sent) {
      if (told) base::log::warn("lines are taken again; {} were lost", queue.lost());
      told = false;
      tries = 0;
      queue.set_failing(false);
      continue;
    }
    if (done > 0) tries = 0;
    // The first try again is at once: a connection that was closed shows that by the first failure.
    if (++tries == 1) continue;
    if (!told) base::log::error("lines can't be sent: {}", sent.error().message());
    told = true;
    queue.set_failing(true);
    if (patience.retries != 0 && tries > patience.retries) {
      queue.drop(1);
      tries = 1;
    }
    const std::chrono::nanoseconds growing = kFirstPause * static_cast<int>(std::min<std::uint64_t>(tries, 50));
    const auto pause = std::min(patience.pause, growing);
    if (!queue.pause(pause)) {
      base::log::error("{} lines were not sent: {}", queue.left() + queue.lost(), sent.error().message());
      return;
    }
  }
}

Result<std::unique_ptr<Sink>> begin(int feed) {
  Frame frame;
  if (!TRY(read_frame(feed, frame)) || frame.header.kind != Kind::Config) {
    return base::invalid("the feed does not begin with a configuration");
  }
  const auto config = TRY(codec::from_json_text<logs::Config>(frame.bytes));
  return Sink::open(config);
}

}  // namespace

Result<> run(int feed) {
  auto sink = begin(feed);
  const std::string answer = sink ? std::string{logs::feed::kReady} : sink.error().message();
  // A shim that has gone on without waiting for this has closed nothing and reads nothing.
  base::ignore(sys::write_all(feed, answer), "nobody wants to know");
  if (!sink) return std::move(sink).error();
  Queue queue{(*sink)->patience(), kGrace};
  std::packaged_task<void()> sending{[&] { send_all(queue, **sink); }};
  auto sent = sending.get_future();
  std::thread sender{std::move(sending)};
  // A feed that waits for room in the queue does not come to its end by reading.
  std::thread watcher{[&] {
    base::ignore(sys::wait_ready(feed, POLLRDHUP, sys::kNoDeadline), "without it the end is found by reading");
    queue.end_soon();
  }};
  const auto read = read_feed(feed, queue);
  queue.close();
  sys::shut_down(feed, sys::Direction::Both);
  watcher.join();
  if (sent.wait_for(kGrace + 1s) == std::future_status::timeout) {
    // It hangs in a send that nobody takes; with this process it ends.
    base::log::error("{} lines were not sent: the receiver takes none", queue.left() + queue.lost());
    std::fflush(nullptr);
    ::_exit(1);
  }
  sender.join();
  return read;
}

}  // namespace forward
