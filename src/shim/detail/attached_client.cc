#include "shim/detail/attached_client.h"

#include <array>

#include "base/log.h"
#include "sys/stream_socket.h"

namespace shim::detail {
namespace {

using base::Result;
using logs::Stream;

constexpr std::size_t kInputBlock = 16 * 1024;
constexpr std::size_t kReplayBlock = 64 * 1024;
constexpr std::chrono::seconds kLinger{1};

using Header = std::array<char, 8>;

/// docker's frame: stream, three zeros, big-endian length.
Header header_of(Stream stream, std::size_t length) {
  Header header{};
  header[0] = static_cast<char>(stream);
  for (std::size_t i = 0; i < 4; ++i) header[4 + i] = static_cast<char>((length >> (24U - 8 * i)) & 0xffU);
  return header;
}

}  // namespace

AttachedClient::AttachedClient(EventLoop& loop, InputSink& sink, sys::UniqueFd connection, Settings settings)
    : loop_{loop},
      sink_{sink},
      connection_{std::move(connection)},
      settings_{std::move(settings)},
      queue_{settings_.spill_dir},
      reads_{settings_.options.in} {}

AttachedClient::~AttachedClient() { drop(); }

Result<std::unique_ptr<AttachedClient>> AttachedClient::open(EventLoop& loop, InputSink& sink,
                                                             sys::UniqueFd connection, Settings settings) {
  std::string keys = TRY(parse_detach_keys(settings.options.detach_keys));
  std::unique_ptr<AttachedClient> client{
      new AttachedClient{loop, sink, std::move(connection), std::move(settings)}};
  // As docker: without a terminal, the sequence is data like any other.
  if (client->settings_.tty) client->keys_.emplace(std::move(keys));
  TRY(loop.add(client->connection_.get(), 0, *client));
  client->registered_ = true;
  return client;
}

bool AttachedClient::wants(Stream stream) const {
  if (gone() || hung_up_ || finishing_ || !settings_.options.stream) return false;
  return stream == Stream::Stdout ? settings_.options.out : settings_.options.err;
}

void AttachedClient::push(Stream stream, std::string_view bytes) {
  if (!wants(stream) || bytes.empty()) return;
  const bool framed = settings_.options.multiplexed;
  const Header header = header_of(stream, bytes.size());
  std::string_view head = framed ? std::string_view{header.data(), header.size()} : std::string_view{};
  if (!settings_.replay && replayed_.empty() && queue_.empty()) {
    const std::array parts{head, bytes};
    const auto sent = sys::send_parts_now(connection_.get(), parts);
    if (!sent) return hang_up();
    const std::size_t count = sent->value_or(0);
    const std::size_t of_head = std::min(count, head.size());
    head.remove_prefix(of_head);
    bytes.remove_prefix(count - of_head);
    if (bytes.empty() && head.empty()) return;
  }
  enqueue(head, bytes);
}

void AttachedClient::enqueue(std::string_view header, std::string_view bytes) {
  auto queued = queue_.push(header);
  if (queued) queued = queue_.push(bytes);
  if (!queued) {
    // A disk without room can't hold it: the client goes rather than the container, or a hole in it.
    base::log::warn("a slow client is disconnected: {}", queued.error().message());
    return drop();
  }
  watch();
}

bool AttachedClient::refill_replay() {
  logs::Entry entry;
  while (replayed_.size() < kReplayBlock) {
    const auto step = settings_.replay->step(entry);
    if (!step || *step != logs::Reader::Step::Entry) {
      if (!step) base::log::warn("replay the log to a client: {}", step.error().message());
      settings_.replay.reset();
      break;
    }
    if (settings_.options.multiplexed) {
      const Header header = header_of(entry.stream, entry.line.size());
      replayed_.append(header.data(), header.size());
    }
    replayed_ += entry.line;
  }
  return !replayed_.empty();
}

void AttachedClient::flush() {
  while (!gone() && !hung_up_) {
    if (replayed_.empty() && settings_.replay) refill_replay();
    const std::string_view next = replayed_.empty() ? queue_.front() : std::string_view{replayed_};
    if (next.empty()) break;
    const auto sent = sys::send_now(connection_.get(), next);
    if (!sent) return hang_up();
    if (!*sent) break;
    if (!replayed_.empty()) {
      replayed_.erase(0, **sent);
    } else if (const auto popped = queue_.pop(**sent); !popped) {
      base::log::warn("a slow client is disconnected: {}", popped.error().message());
      return drop();
    }
  }
  const bool all = replayed_.empty() && !settings_.replay && queue_.empty();
  if (all && (finishing_ || !settings_.options.stream)) half_close();
}

void AttachedClient::read_input() {
  std::array<char, kInputBlock> buffer;  // NOLINT: filled by the read
  while (reads_ && !gone()) {
    const std::size_t room = sink_.input_room();
    if (room == 0) break;
    const auto count = sys::receive_now(connection_.get(), {buffer.data(), std::min(room, buffer.size())});
    if (!count) return drop();
    if (!*count) break;
    if (**count == 0) return input_ended();
    take({buffer.data(), **count});
  }
}

void AttachedClient::take(std::string_view input) {
  if (!keys_) return sink_.take_input(input);
  std::string passed;
  const bool detach = keys_->feed(input, passed);
  sink_.take_input(passed);
  if (!detach) return;
  reads_ = false;
  sink_.on_detach();
  finish();
}

void AttachedClient::input_ended() {
  reads_ = false;
  if (!sink_.end_input()) finish();
  if (hung_up_) drop();
}

void AttachedClient::start_replay() {
  flush();
  if (!gone()) watch();
}

void AttachedClient::resume_input() {
  if (reads_) read_input();
  if (!gone()) watch();
}

void AttachedClient::hang_up() {
  hung_up_ = true;
  if (registered_) loop_.remove(connection_.get());
  registered_ = false;
  // What the client sent before it left still counts.
  if (reads_) read_input();
  if (!reads_) drop();
}

void AttachedClient::finish() {
  if (gone()) return;
  finishing_ = true;
  reads_ = false;
  if (hung_up_) return drop();
  flush();
  if (!gone()) watch();
}

void AttachedClient::half_close() {
  if (linger_until_) return;
  finishing_ = true;
  reads_ = false;
  sys::shut_down(connection_.get(), sys::Direction::Write);
  linger_until_ = Clock::now() + kLinger;
}

void AttachedClient::drop() {
  if (gone()) return;
  if (registered_) loop_.remove(connection_.get());
  registered_ = false;
  connection_.reset();
  linger_until_.reset();
}

void AttachedClient::watch() {
  if (!registered_) return;
  std::uint32_t wanted = 0;
  if (linger_until_ || (reads_ && sink_.input_room() > 0)) wanted |= EPOLLIN;
  if (!linger_until_ && (settings_.replay || !replayed_.empty() || !queue_.empty())) wanted |= EPOLLOUT;
  if (wanted != watched_) loop_.modify(connection_.get(), wanted);
  watched_ = wanted;
}

void AttachedClient::on_ready(int /*fd*/, std::uint32_t events) {
  if (linger_until_) {
    std::array<char, kInputBlock> thrown_away;  // NOLINT
    const auto count = sys::receive_now(connection_.get(), thrown_away);
    if (!count || (*count && **count == 0) || (events & EPOLLERR) != 0) drop();
    return;
  }
  if ((events & EPOLLOUT) != 0) flush();
  if (!gone() && (events & EPOLLIN) != 0) read_input();
  if (!gone() && !linger_until_ && (events & (EPOLLHUP | EPOLLERR)) != 0) hang_up();
  if (!gone()) watch();
}

}  // namespace shim::detail
