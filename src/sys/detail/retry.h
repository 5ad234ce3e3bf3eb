#pragma once
/// EINTR is no failure: call again.

#include <cerrno>

namespace sys::detail {

template <class F>
auto retry(F call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace sys::detail
