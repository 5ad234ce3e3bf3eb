#include "engine/event_bus.h"

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "engine/filters.h"

namespace engine {

struct EventBus::Shared {
  mutable std::mutex mutex;
  std::condition_variable_any arrived;
  // Guarded by mutex. ring[0] has the number first_number.
  std::deque<std::shared_ptr<const spec::api::Event>> ring;
  std::uint64_t first_number = 0;
  std::size_t listeners = 0;
  std::uint64_t published = 0;
  std::int64_t last_time = 0;
};

namespace {

constexpr std::array<std::string_view, 14> kFilterNames = {
    "config", "container", "daemon", "event",  "image",   "label", "network",
    "node",   "plugin",    "scope",  "secret", "service", "type",  "volume"};

/// docker's `--filter container=x`: a prefix of the id, or of the name.
bool names_actor(const Filters& filters, std::string_view type, const spec::api::Event& event) {
  if (!has_filter(filters, type)) return true;
  if (event.type == type) {
    const auto name = event.actor.attributes.find("name");
    return matches_prefix(filters, type, event.actor.id) ||
           (name != event.actor.attributes.end() && matches_prefix(filters, type, name->second));
  }
  // A network's or volume's event belongs to the container that it names, too.
  const auto related = event.actor.attributes.find(std::string{type});
  return type == "container" && related != event.actor.attributes.end() &&
         matches_prefix(filters, type, related->second);
}

std::string_view without_tag(std::string_view image) {
  const auto colon = image.rfind(':');
  return colon == std::string_view::npos || image.find('/', colon) != std::string_view::npos
             ? image
             : image.substr(0, colon);
}

bool names_image(const Filters& filters, const spec::api::Event& event) {
  if (!has_filter(filters, "image")) return true;
  const auto attribute = event.actor.attributes.find(event.type == "image" ? "name" : "image");
  const std::string_view name =
      attribute == event.actor.attributes.end() ? std::string_view{} : std::string_view{attribute->second};
  return (event.type == "image" && matches_exactly(filters, "image", event.actor.id)) ||
         matches_exactly(filters, "image", name) || matches_exactly(filters, "image", without_tag(name));
}

bool names_action(const Filters& filters, std::string_view action) {
  const auto colon = action.find(':');  // "exec_create: sh", "health_status: healthy"
  return matches_exactly(filters, "event", action) ||
         (colon != std::string_view::npos && matches_exactly(filters, "event", action.substr(0, colon)));
}

}  // namespace

bool event_matches(const spec::api::Event& event, const Filters& filters) {
  return names_action(filters, event.action) && matches_exactly(filters, "type", event.type) &&
         matches_exactly(filters, "scope", event.scope) &&
         matches_labels(filters, "label", event.actor.attributes) &&
         names_actor(filters, "container", event) && names_actor(filters, "volume", event) &&
         names_actor(filters, "network", event) && names_actor(filters, "daemon", event) &&
         names_actor(filters, "plugin", event) && names_actor(filters, "node", event) &&
         names_actor(filters, "secret", event) && names_actor(filters, "service", event) &&
         names_actor(filters, "config", event) && names_image(filters, event);
}

class EventBus::Stream final : public EventStream {
 public:
  Stream(std::shared_ptr<Shared> shared, std::uint64_t next, std::optional<base::Time> since,
         std::optional<base::Time> until, Filters filters)
      : shared_{std::move(shared)}, next_{next}, since_{since}, until_{until}, filters_{std::move(filters)} {}
  ~Stream() override {
    const std::lock_guard lock{shared_->mutex};
    --shared_->listeners;
  }

  bool next(spec::api::Event& event, std::stop_token stop) override {
    while (true) {
      const auto candidate = take(stop);
      if (!candidate) return false;
      if (until_ && candidate->time_nano > until_->time_since_epoch().count()) return false;
      if (since_ && candidate->time_nano < since_->time_since_epoch().count()) continue;
      if (!event_matches(*candidate, filters_)) continue;
      event = *candidate;
      return true;
    }
  }

 private:
  std::shared_ptr<const spec::api::Event> take(const std::stop_token& stop) {
    std::unique_lock lock{shared_->mutex};
    const auto ready = [&] { return next_ < shared_->first_number + shared_->ring.size(); };
    if (until_) {
      // sys_time counts system_clock's own epoch: the two differ in resolution only.
      const auto deadline = std::chrono::time_point_cast<std::chrono::system_clock::duration>(*until_);
      if (!shared_->arrived.wait_until(lock, stop, deadline, ready)) return nullptr;
    } else if (!shared_->arrived.wait(lock, stop, ready)) {
      return nullptr;
    }
    next_ = std::max(next_, shared_->first_number);
    return shared_->ring[static_cast<std::size_t>(next_++ - shared_->first_number)];
  }

  std::shared_ptr<Shared> shared_;
  std::uint64_t next_;
  std::optional<base::Time> since_, until_;
  Filters filters_;
};

/// Takes what the ring got from a number on, and writes it in one transaction.
class EventBus::Writer {
 public:
  Writer(std::shared_ptr<Shared> shared, state::Database& database, std::uint64_t next)
      : shared_{std::move(shared)}, database_{database}, next_{next} {
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
  }

 private:
  using Batch = std::vector<std::shared_ptr<const spec::api::Event>>;

  void run(const std::stop_token& stop) {
    while (true) {
      const Batch batch = take(stop);
      if (batch.empty()) return;
      if (const auto written = write(batch); !written) {
        base::log::warn("{} events are not kept for the next start: {}", batch.size(), written.error().message());
      }
    }
  }

  /// Empty when the bus goes and nothing is left.
  Batch take(const std::stop_token& stop) {
    std::unique_lock lock{shared_->mutex};
    const auto end = [&] { return shared_->first_number + shared_->ring.size(); };
    shared_->arrived.wait(lock, stop, [&] { return next_ < end(); });
    next_ = std::max(next_, shared_->first_number);
    Batch batch;
    for (; next_ < end(); ++next_) batch.push_back(shared_->ring[static_cast<std::size_t>(next_ - shared_->first_number)]);
    return batch;
  }

  base::Result<> write(const Batch& batch) {
    return database_.transaction(state::Durability::ProcessDeath, [&](state::Transaction& t) -> base::Result<> {
      for (const auto& event : batch) {
        const std::string json = codec::to_json(*event).dump();
        TRY(t.execute("INSERT INTO events (time, type, action, actor, json) VALUES (?, ?, ?, ?, ?)",
                      {event->time_nano, event->type, event->action, event->actor.id, json}));
      }
      TRY(t.execute("DELETE FROM events WHERE sequence <= (SELECT max(sequence) FROM events) - ?", {kKept}));
      return {};
    });
  }

  std::shared_ptr<Shared> shared_;
  state::Database& database_;
  std::uint64_t next_;  ///< of the first that is not written; the thread's
  std::jthread thread_;
};

EventBus::EventBus() : shared_{std::make_shared<Shared>()} {}
EventBus::~EventBus() = default;

base::Result<> EventBus::keep_in(state::Database& database) {
  std::uint64_t kept = 0;
  TRY(database.read([&](state::Reader& reader) -> base::Result<> {
    return reader.select("SELECT json FROM events ORDER BY sequence", {}, [&](const state::Row& row) -> base::Result<> {
      const auto json = codec::Json::parse(row.text(0));
      auto event = json ? codec::from_json<spec::api::Event>(*json) : base::Result<spec::api::Event>{json.error()};
      if (!event) return {};  // of a later version, or damaged: no reason not to start
      const std::lock_guard lock{shared_->mutex};
      shared_->last_time = std::max(shared_->last_time, event->time_nano);
      shared_->ring.push_back(std::make_shared<const spec::api::Event>(*std::move(event)));
      ++kept;
      return {};
    });
  }));
  writer_ = std::make_unique<Writer>(shared_, database, kept);
  return {};
}

void EventBus::publish(std::string_view type, std::string_view action, std::string_view actor,
                       spec::api::Labels attributes) {
  auto event = std::make_shared<spec::api::Event>();
  event->type = type;
  event->action = action;
  event->actor.id = actor;
  event->actor.attributes = std::move(attributes);
  if (type == "container" || type == "image") {
    event->status = action;
    event->id = actor;
  }
  if (type == "container") {
    if (const auto image = event->actor.attributes.find("image"); image != event->actor.attributes.end()) {
      event->from = image->second;
    }
  }
  {
    const std::lock_guard lock{shared_->mutex};
    // Order in the ring and order in time are the same, even when the clock steps back.
    shared_->last_time = std::max(shared_->last_time + 1, base::now().time_since_epoch().count());
    ++shared_->published;
    event->time_nano = shared_->last_time;
    event->time = event->time_nano / 1'000'000'000;
    shared_->ring.push_back(std::move(event));
    if (shared_->ring.size() > kKept) {
      shared_->ring.pop_front();
      ++shared_->first_number;
    }
  }
  shared_->arrived.notify_all();
}

base::Result<std::unique_ptr<EventStream>> EventBus::subscribe(std::optional<base::Time> since,
                                                               std::optional<base::Time> until,
                                                               const Filters& filters) {
  TRY(check_filters(filters, kFilterNames));
  const std::lock_guard lock{shared_->mutex};
  ++shared_->listeners;
  // Without `since` but with an `until` in the past docker gives nothing, and so do we.
  const std::uint64_t next =
      since ? shared_->first_number : shared_->first_number + shared_->ring.size();
  return std::unique_ptr<EventStream>{std::make_unique<Stream>(shared_, next, since, until, filters)};
}

std::uint64_t EventBus::published() const {
  const std::lock_guard lock{shared_->mutex};
  return shared_->published;
}

std::size_t EventBus::listeners() const {
  const std::lock_guard lock{shared_->mutex};
  return shared_->listeners;
}

}  // namespace engine
