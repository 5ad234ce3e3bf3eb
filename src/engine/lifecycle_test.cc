#include "engine/lifecycle.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

using enum State;

TEST(Lifecycle, AWholeLife) {
  State state = Created;
  for (const auto& [step, expected] : std::initializer_list<std::pair<Step, State>>{
           {Step::Start, Running}, {Step::Pause, Paused},     {Step::Unpause, Running},
           {Step::AwaitRestart, Restarting}, {Step::Start, Running}, {Step::Exit, Exited},
           {Step::Start, Running}, {Step::Exit, Exited}, {Step::Remove, Removing}}) {
    const auto next = advance(state, step, "abc");
    ASSERT_TRUE(next) << next.error().message();
    EXPECT_EQ(*next, expected);
    state = *next;
  }
}

TEST(Lifecycle, RefusalsCarryDockersWordsAndKind) {
  struct Case {
    State from;
    Step step;
    base::ErrorKind kind;
    std::string message;
  };
  for (const Case& c : {
           Case{Running, Step::Start, base::ErrorKind::NotModified, "container is already running"},
           Case{Exited, Step::Stop, base::ErrorKind::NotModified, "container is already stopped"},
           Case{Exited, Step::Kill, base::ErrorKind::Conflict, "container c1 is not running"},
           Case{Paused, Step::Pause, base::ErrorKind::Conflict, "container c1 is already paused"},
           Case{Running, Step::Unpause, base::ErrorKind::Internal, "Container c1 is not paused"},
           Case{Removing, Step::Remove, base::ErrorKind::Conflict, "removal of container c1 is already in progress"},
       }) {
    const auto result = advance(c.from, c.step, "c1");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), c.kind);
    EXPECT_EQ(result.error().message(), c.message);
    EXPECT_FALSE(is_legal(c.from, c.step));
  }
}

// Every verb of a client has an answer in every state: none falls through to the generic words.
TEST(Lifecycle, EveryVerbHasAnAnswerInEveryState) {
  for (const Step step : {Step::Start, Step::Stop, Step::Kill, Step::Pause, Step::Unpause, Step::Remove,
                          Step::Exec, Step::Attach, Step::Top, Step::Resize, Step::Logs}) {
    for (int state = 0; state <= static_cast<int>(Dead); ++state) {
      const auto result = advance(static_cast<State>(state), step, "c1");
      if (!result) {
        EXPECT_EQ(result.error().message().find("does not allow"), std::string::npos);
      }
    }
  }
}

TEST(Lifecycle, NamesAreReadBack) {
  for (int state = 0; state <= static_cast<int>(Dead); ++state) {
    EXPECT_EQ(parse_state(name_of(static_cast<State>(state))).value(), static_cast<State>(state));
  }
  EXPECT_TRUE(parse_state("sleeping").failed_as(base::ErrorKind::InvalidArgument));
}

}  // namespace
}  // namespace engine
