/// What an endpoint costs. Prints, checks nothing, and runs on request only:
///   build/dev/bin/net_test --gtest_also_run_disabled_tests --gtest_filter='*Cost*'

#include <algorithm>

#include <sys/resource.h>

#include "net/detail/test_host.h"
#include "state/database.h"

namespace net {
namespace {

using namespace test;  // NOLINT
using Clock = std::chrono::steady_clock;

long median(std::vector<Clock::duration>& samples) {
  std::ranges::sort(samples);
  return std::chrono::duration_cast<std::chrono::microseconds>(samples[samples.size() / 2]).count();
}

void measure(Manager& manager, std::size_t running, std::vector<sys::UniqueFd>& namespaces) {
  constexpr std::uint16_t kSamples = 30;
  std::vector<Clock::duration> reserve, attach, release;
  for (std::uint16_t i = 0; i < kSamples; ++i) {
    const auto request =
        request_for(manager, "x", "bridge", {tcp_port(static_cast<std::uint16_t>(30000 + i), 80)});
    namespaces.push_back(make_netns());
    const auto start = Clock::now();
    const Endpoint endpoint = manager.reserve(request).value();
    const auto reserved = Clock::now();
    ASSERT_TRUE(manager.attach(endpoint, namespaces.back().get()));
    const auto attached = Clock::now();
    ASSERT_TRUE(manager.release(endpoint.id));
    reserve.push_back(reserved - start);
    attach.push_back(attached - reserved);
    release.push_back(Clock::now() - attached);
  }
  std::printf("%zu running: reserve %ld, attach %ld, release %ld us\n", running, median(reserve),
              median(attach), median(release));
}

TEST(DISABLED_Cost, OfAnEndpoint) {
  on_fresh_host([] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    char path[] = "/tmp/net_cost.XXXXXX";
    const std::string directory = ::mkdtemp(path);
    {
      const auto database = state::Database::open(directory + "/caisson.db").value();
      const auto manager = open_manager({}, records_in(*database));
      std::vector<Container> running;
      std::vector<sys::UniqueFd> namespaces;
      for (const std::size_t wanted : {1U, 100U, 900U}) {
        while (running.size() < wanted) {
          const auto port = static_cast<std::uint16_t>(10000 + running.size());
          running.push_back(start(*manager, request_for(*manager, "c", "bridge", {tcp_port(port, 80)})));
        }
        measure(*manager, wanted, namespaces);
      }
    }
    base::ignore(sys::remove_tree(sys::kCwd, directory), "a test's directory");
  });
}

}  // namespace
}  // namespace net
