#include "cli/stats/collector.h"

#include <algorithm>
#include <thread>

#include "client/json_stream.h"

namespace cli::stats {

namespace {

using Clock = std::chrono::steady_clock;
/// A stream brings a sample every second.
constexpr std::chrono::seconds kPatience{2};

struct Entry {
  std::string container;
  Usage usage;
  Clock::time_point updated = Clock::now();
  std::optional<std::string> error;
  bool settled = false;  ///< a sample or an error was there
  bool gone = false;
};

}  // namespace

struct Collector::State {
  State(client::Client& the_client, Mode the_mode) : client{the_client}, mode{the_mode} {}

  client::Client& client;
  const Mode mode;
  mutable std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::list<Entry> entries;
  bool ended = false;

  template <class Change>
  void update(const std::string& container, Change change) {
    const std::lock_guard lock{mutex};
    const auto entry = std::ranges::find(entries, container, &Entry::container);
    if (entry != entries.end()) change(*entry);
    changed.notify_all();
  }
};

Collector::Collector(client::Client& client, Mode mode) : state_{std::make_shared<State>(client, mode)} {}

void Collector::watch(const std::string& container) {
  {
    const std::lock_guard lock{state_->mutex};
    const auto there = std::ranges::find(state_->entries, container, &Entry::container);
    if (there != state_->entries.end() && !there->gone) return;
    if (there != state_->entries.end()) state_->entries.erase(there);
    state_->entries.push_back({.container = container, .usage = {.container = container}});
  }
  std::thread{[state = state_, container] { follow(state, container); }}.detach();
}

void Collector::forget(const std::string& container) {
  state_->update(container, [](Entry& entry) { entry.gone = true; });
}

void Collector::end() {
  const std::lock_guard lock{state_->mutex};
  state_->ended = true;
  state_->changed.notify_all();
}

bool Collector::ends_within(std::chrono::milliseconds time) const {
  std::unique_lock lock{state_->mutex};
  return state_->changed.wait_for(lock, time, [&] { return state_->ended; });
}

void Collector::follow(const std::shared_ptr<State>& state, const std::string& container) {
  client::ApiCall call{.path = "/containers/" + http::encode_segment(container) + "/stats"};
  call.query.add("stream", state->mode == Mode::Stream ? "1" : "0");
  auto reply = state->client.call(call);
  if (!reply) {
    state->update(container, [&](Entry& entry) {
      entry.error = reply.error().message();
      entry.settled = true;
    });
    return;
  }
  client::JsonStream<spec::api::ContainerStats> samples{*std::move(reply)};
  while (true) {
    const auto sample = samples.next();
    if (!sample || !*sample) break;
    state->update(container, [&](Entry& entry) {
      entry.usage = usage_of(container, **sample);
      entry.updated = Clock::now();
      entry.settled = true;
    });
    if (state->mode == Mode::Once) return;
  }
  state->update(container, [](Entry& entry) { entry.gone = entry.settled = true; });
}

void Collector::wait_for_first() {
  std::unique_lock lock{state_->mutex};
  const auto settled = [&] { return std::ranges::all_of(state_->entries, &Entry::settled); };
  state_->changed.wait_for(lock, kPatience, settled);
}

std::vector<Usage> Collector::usages() const {
  const std::lock_guard lock{state_->mutex};
  std::vector<Usage> usages;
  for (const Entry& entry : state_->entries) {
    if (entry.gone) continue;
    usages.push_back(entry.usage);
    usages.back().stale =
        !entry.settled || entry.error || (state_->mode == Mode::Stream && Clock::now() - entry.updated > kPatience);
  }
  return usages;
}

std::vector<std::string> Collector::errors() const {
  const std::lock_guard lock{state_->mutex};
  std::vector<std::string> errors;
  for (const Entry& entry : state_->entries) {
    if (entry.error) errors.push_back(*entry.error);
  }
  return errors;
}

}  // namespace cli::stats
