#include "http/detail/tls_bridge.h"

#include <array>
#include <vector>

#include <poll.h>
#include <pthread.h>

#include "base/log.h"

namespace http::detail {

using base::Result;

namespace {

constexpr std::size_t kBufferBytes = 32 * 1024;
constexpr std::size_t kStackBytes = 256 * 1024;

/// One direction: at most one buffer of bytes on their way.
struct Flow {
  explicit Flow() : storage(kBufferBytes) {}
  [[nodiscard]] bool empty() const { return begin == end; }
  [[nodiscard]] std::string_view view() const { return {storage.data() + begin, end - begin}; }
  void took(std::size_t count) {
    begin += count;
    if (empty()) begin = end = 0;
  }

  std::vector<char> storage;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool source_ended = false;
  bool sink_closed = false;
  Want read_want = Want::Nothing;
  Want write_want = Want::Nothing;
};

/// Moves what can be moved now. `receive` and `send` return a Step; `close` ends the sink.
template <class Receive, class Send, class Close>
Result<> pump(Flow& flow, Receive receive, Send send, Close close) {
  flow.read_want = flow.write_want = Want::Nothing;
  while (true) {
    if (flow.empty() && !flow.source_ended) {
      const Step step = TRY(receive(std::span{flow.storage}));
      if (step.want != Want::Nothing) {
        flow.read_want = step.want;
        return {};
      }
      flow.end = step.count;
      flow.source_ended = step.count == 0;
    }
    if (flow.empty()) break;
    const Step step = TRY(send(flow.view()));
    flow.took(step.count);
    if (step.want != Want::Nothing) {
      flow.write_want = step.want;
      return {};
    }
  }
  if (flow.source_ended && !flow.sink_closed) {
    close();
    flow.sink_closed = true;
  }
  return {};
}

short events_of(Want want) { return want == Want::Nothing ? short{0} : poll_events(want); }

Result<> bridge(Transport& tls, int pair, int stop) {
  Flow inward;   // client → owner
  Flow outward;  // owner → client
  const auto pair_receive = [&](std::span<char> buffer) -> Result<Step> {
    const auto count = TRY(sys::receive_now(pair, buffer));
    return count ? Step{*count} : Step{0, Want::Read};
  };
  const auto pair_send = [&](std::string_view bytes) -> Result<Step> {
    const auto count = TRY(sys::send_now(pair, bytes));
    return count ? Step{*count} : Step{0, Want::Write};
  };
  while (true) {
    TRY(pump(
        inward, [&](std::span<char> buffer) { return tls.receive(buffer); }, pair_send,
        [&] { sys::shut_down(pair, sys::Direction::Write); }));
    TRY(pump(
        outward, pair_receive, [&](std::string_view bytes) { return tls.send(bytes, false); },
        [&] { tls.close_write(); }));
    if (inward.sink_closed && outward.sink_closed) return {};
    const auto tls_events = static_cast<short>(events_of(inward.read_want) | events_of(outward.write_want));
    const auto pair_events = static_cast<short>(events_of(outward.read_want) | events_of(inward.write_want));
    std::array<sys::PollItem, 3> items{{{tls_events == 0 ? -1 : tls.fd(), tls_events},
                                        {pair_events == 0 ? -1 : pair, pair_events},
                                        {stop, POLLIN}}};
    static_cast<void>(TRY(sys::wait_any(items, sys::kNoDeadline)));
    if (items[2].ready != 0) return {};
  }
}

struct Job {
  std::unique_ptr<Transport> tls;
  sys::UniqueFd pair;
  int stop;
  Bridges* bridges;
  void (*ended)(Bridges&);
};

void* run_job(void* argument) {
  std::unique_ptr<Job> job{static_cast<Job*>(argument)};
  run_bridge(*job->tls, job->pair.get(), job->stop);
  Bridges& bridges = *job->bridges;
  const auto ended = job->ended;
  job.reset();
  ended(bridges);
  return nullptr;
}

}  // namespace

void run_bridge(Transport& tls, int pair, int stop) {
  if (auto result = bridge(tls, pair, stop); !result) {
    base::log::debug("a TLS stream broke off: {}", result.error().message());
  }
}

Bridges::~Bridges() {
  std::unique_lock lock{mutex_};
  if (running_ == 0) return;
  const std::uint64_t one = 1;
  base::ignore(sys::write_all(stop_.get(), {reinterpret_cast<const char*>(&one), sizeof one}),
               "an eventfd takes the first count");
  ended_.wait(lock, [&] { return running_ == 0; });
}

Result<sys::UniqueFd> Bridges::add(std::unique_ptr<Transport> tls) {
  auto pair = TRY(sys::make_socket_pair(SOCK_STREAM));
  const std::lock_guard lock{mutex_};
  if (!stop_) stop_ = TRY(sys::make_eventfd());
  auto job = std::make_unique<Job>(
      Job{std::move(tls), std::move(pair.first), stop_.get(), this, [](Bridges& bridges) {
            const std::lock_guard guard{bridges.mutex_};
            --bridges.running_;
            bridges.ended_.notify_all();
          }});
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread{};
  const int error = pthread_create(&thread, &attributes, run_job, job.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) return base::Error::from_errno(error, "start a thread for a TLS stream");
  static_cast<void>(job.release());  // the thread's now
  ++running_;
  return std::move(pair.second);
}

}  // namespace http::detail
