#include "engine/detail/reactor.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "engine/detail/workers.h"
#include "sys/fd.h"

namespace engine {
namespace {

using std::chrono::milliseconds;

class Latch {
 public:
  void hit() {
    const std::lock_guard lock{mutex_};
    ++hits_;
    changed_.notify_all();
  }
  bool wait_for(int hits) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return hits_ >= hits; });
  }
  int hits() {
    const std::lock_guard lock{mutex_};
    return hits_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int hits_ = 0;
};

struct OneByte final : ReadyHandler {
  OneByte(Latch& l, int f) : latch{l}, fd{f} {}
  bool on_ready() override {
    char byte[1];
    const auto got = sys::read_some(fd, byte);
    latch.hit();
    return got && *got > 0;
  }
  Latch& latch;
  int fd;
};

TEST(Reactor, CallsTheHandlerUntilItSaysNo) {
  auto reactor = Reactor::start().value();
  auto pipe = sys::make_pipe().value();
  Latch latch;
  ASSERT_TRUE(reactor->add(pipe.read.get(), std::make_shared<OneByte>(latch, pipe.read.get())));
  ASSERT_TRUE(sys::write_all(pipe.write.get(), "ab"));
  EXPECT_TRUE(latch.wait_for(2));
  pipe.write.reset();
  EXPECT_TRUE(latch.wait_for(3)) << "a hang-up is an event, too";
  reactor.reset();
  EXPECT_EQ(latch.hits(), 3) << "after its false the handler is out";
}

TEST(Reactor, RemovedHandlersAreNotCalled) {
  auto reactor = Reactor::start().value();
  auto pipe = sys::make_pipe().value();
  Latch latch;
  ASSERT_TRUE(reactor->add(pipe.read.get(), std::make_shared<OneByte>(latch, pipe.read.get())));
  reactor->remove(pipe.read.get());
  ASSERT_TRUE(sys::write_all(pipe.write.get(), "a"));
  reactor.reset();
  EXPECT_EQ(latch.hits(), 0);
}

TEST(Reactor, TimersRunInOrderAndCanBeCancelled) {
  auto reactor = Reactor::start().value();
  Latch latch;
  std::mutex mutex;
  std::string order;
  const auto note = [&](char c) {
    return Task{[&, c] {
      {
        const std::lock_guard lock{mutex};
        order += c;
      }
      latch.hit();
    }};
  };
  reactor->after(milliseconds{30}, note('c'));
  reactor->after(milliseconds{1}, note('a'));
  reactor->after(milliseconds{15}, note('b'));
  const auto never = reactor->after(milliseconds{20}, note('x'));
  EXPECT_TRUE(reactor->cancel(never));
  EXPECT_FALSE(reactor->cancel(never));
  EXPECT_TRUE(latch.wait_for(3));
  const std::lock_guard lock{mutex};
  EXPECT_EQ(order, "abc");
}

TEST(Workers, ABlockedTaskBlocksNoOther) {
  Latch go, done;
  {
    Workers workers;
    for (int i = 0; i < 8; ++i) {
      workers.post([&] {
        go.wait_for(1);
        done.hit();
      });
    }
    workers.post([&] { go.hit(); });
    EXPECT_TRUE(done.wait_for(8));
  }
  EXPECT_EQ(done.hits(), 8);
}

TEST(Workers, TheDestructorWaitsForWhatWasPosted) {
  std::atomic<int> count = 0;
  {
    Workers workers;
    for (int i = 0; i < 100; ++i) workers.post([&] { ++count; });
  }
  EXPECT_EQ(count, 100);
}

}  // namespace
}  // namespace engine
