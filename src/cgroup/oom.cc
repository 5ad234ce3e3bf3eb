#include <sys/eventfd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "cgroup/detail/files.h"
#include "sys/file.h"
#include "sys/file_watch.h"

namespace cgroup {

using base::Result;

Result<OomWatch> Cgroup::watch_oom() const {
  OomWatch watch;
  if (const auto* place = v1_place("memory"); place != nullptr) {
    watch.counter_ = place->directory + "/memory.oom_control";
    const sys::UniqueFd control = TRY(sys::open_at(sys::kCwd, watch.counter_, O_RDONLY));
    watch.fd_ = TRY(sys::make_eventfd(0, EFD_NONBLOCK));
    TRY(detail::write(place->directory, "cgroup.event_control",
                      fmt::format("{} {}", watch.fd_.get(), control.get()))
            .context("watch for out-of-memory kills"));
    return watch;
  }
  const auto* place = v2_place();
  if (place == nullptr || !TRY(detail::has_file(place->directory, "memory.events"))) {
    return base::not_implemented("this host has no memory cgroup controller");
  }
  watch.counter_ = place->directory + "/memory.events";
  watch.fd_ = TRY(sys::FileWatch::open(watch.counter_)).release();
  return watch;
}

Result<std::uint64_t> OomWatch::kills() {
  // Whatever is pending: an eventfd's count or inotify's records.
  char buffer[4096];
  while (const auto count = sys::read_some(fd_.get(), buffer)) {
    if (*count == 0) break;
  }
  const std::string text = TRY(sys::read_file(sys::kCwd, counter_).context("count out-of-memory kills"));
  for (const auto line : base::split_words(text, '\n')) {
    const auto pair = base::cut(line, " ");
    if (pair && pair->first == "oom_kill") return detail::to_number(pair->second);
  }
  return std::uint64_t{0};
}

}  // namespace cgroup
