#include "engine/event_bus.h"

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "sys/file.h"

namespace engine {
namespace {

using spec::api::Event;

std::vector<std::string> actions(EventStream& stream) {
  std::vector<std::string> found;
  Event event;
  while (stream.next(event, {})) found.push_back(event.action);
  return found;
}

TEST(EventBus, HistoryAndNewEventsComeInOrder) {
  EventBus bus;
  bus.publish("container", "create", "c1", {{"name", "web"}, {"image", "busybox"}});
  const auto stream = bus.subscribe(base::Time{}, std::nullopt, {}).value();
  bus.publish("container", "start", "c1", {{"name", "web"}, {"image", "busybox"}});
  Event event;
  ASSERT_TRUE(stream->next(event, {}));
  EXPECT_EQ(event.action, "create");
  EXPECT_EQ(event.status, "create");
  EXPECT_EQ(event.from, "busybox");
  const auto first = event.time_nano;
  ASSERT_TRUE(stream->next(event, {}));
  EXPECT_EQ(event.action, "start");
  EXPECT_GT(event.time_nano, first);
}

TEST(EventBus, WithoutSinceOnlyNewEvents) {
  EventBus bus;
  bus.publish("volume", "create", "v1", {});
  const auto stream = bus.subscribe(std::nullopt, base::now() + std::chrono::milliseconds{20}, {}).value();
  EXPECT_TRUE(actions(*stream).empty());
}

TEST(EventBus, AStopEndsTheWait) {
  EventBus bus;
  const auto stream = bus.subscribe(std::nullopt, std::nullopt, {}).value();
  std::stop_source stop;
  bool result = true;
  std::jthread reader{[&] {
    Event event;
    result = stream->next(event, stop.get_token());
  }};
  stop.request_stop();
  reader.join();
  EXPECT_FALSE(result);
}

TEST(EventBus, AReaderWaitsForTheNextEvent) {
  EventBus bus;
  const auto stream = bus.subscribe(std::nullopt, std::nullopt, {{"event", {"die"}}}).value();
  std::string got;
  std::jthread reader{[&] {
    Event event;
    if (stream->next(event, {})) got = event.actor.id;
  }};
  bus.publish("container", "start", "c1", {});
  bus.publish("container", "die", "c2", {});
  reader.join();
  EXPECT_EQ(got, "c2");
}

TEST(EventBus, OldEventsFallOut) {
  EventBus bus;
  for (std::size_t i = 0; i < EventBus::kKept + 10; ++i) bus.publish("image", "tag", std::to_string(i), {});
  const auto stream = bus.subscribe(base::Time{}, base::now(), {}).value();
  Event event;
  ASSERT_TRUE(stream->next(event, {}));
  EXPECT_EQ(event.actor.id, "10");
}

TEST(EventBus, Filters) {
  Event event;
  event.type = "container";
  event.action = "exec_create: sh -c x";
  event.actor = {"abcdef", {{"name", "web"}, {"image", "reg:5000/busybox:1"}, {"tier", "front"}}};
  EXPECT_TRUE(event_matches(event, {{"event", {"exec_create"}}}));
  EXPECT_TRUE(event_matches(event, {{"container", {"abc"}}}));
  EXPECT_TRUE(event_matches(event, {{"container", {"web"}}, {"type", {"container"}}}));
  EXPECT_TRUE(event_matches(event, {{"image", {"reg:5000/busybox"}}}));
  EXPECT_TRUE(event_matches(event, {{"label", {"tier=front"}}}));
  EXPECT_FALSE(event_matches(event, {{"type", {"image"}}}));
  EXPECT_FALSE(event_matches(event, {{"container", {"db"}}}));
  EXPECT_FALSE(event_matches(event, {{"image", {"busybox"}}}));
  event.type = "network";
  event.action = "connect";
  event.actor = {"n1", {{"name", "bridge"}, {"container", "abcdef"}}};
  EXPECT_TRUE(event_matches(event, {{"container", {"abcdef"}}}));
  EXPECT_TRUE(event_matches(event, {{"network", {"bridge"}}}));
  EXPECT_FALSE(event_matches(event, {{"volume", {"bridge"}}}));
}

TEST(EventBus, UnknownFilterIsRefused) {
  EventBus bus;
  EXPECT_TRUE(bus.subscribe({}, {}, {{"colour", {"red"}}}).failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_EQ(bus.listeners(), 0U);
}

TEST(EventBus, TheNewestAreKept) {
  std::string folder = testing::TempDir() + "/events-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto database = state::Database::open(folder + "/db").value();
  const auto count = [&] {
    std::int64_t rows = 0;
    EXPECT_TRUE(database->read([&](state::Reader& reader) {
      return reader.select("SELECT count(*) FROM events", {}, [&](const state::Row& row) -> base::Result<> {
        rows = row.integer(0);
        return {};
      });
    }));
    return rows;
  };
  for (int start = 0; start < 2; ++start) {
    EventBus bus;
    ASSERT_TRUE(bus.keep_in(*database));
    for (std::size_t i = 0; i < EventBus::kKept; ++i) bus.publish("volume", "create", std::to_string(start), {{"k", "v"}});
  }
  EXPECT_EQ(count(), static_cast<std::int64_t>(EventBus::kKept));
  EventBus bus;
  ASSERT_TRUE(bus.keep_in(*database));
  const auto old = bus.subscribe(base::Time{}, base::now(), {}).value();
  Event event;
  ASSERT_TRUE(old->next(event, {}));
  EXPECT_EQ(event.actor.id, "1");
  EXPECT_EQ(event.actor.attributes.at("k"), "v");
  const auto before = event.time_nano;
  const auto fresh = bus.subscribe(std::nullopt, std::nullopt, {}).value();
  bus.publish("volume", "destroy", "x", {});
  ASSERT_TRUE(fresh->next(event, {}));
  EXPECT_EQ(event.action, "destroy") << "what is old is not news";
  EXPECT_GT(event.time_nano, before);
  ASSERT_TRUE(sys::remove_tree(sys::kCwd, folder));
}

}  // namespace
}  // namespace engine
