#include "http/detail/transport.h"

#include <cerrno>

namespace http::detail {

using base::Error;
using base::Result;

namespace {

/// Waits for what the step asked for.
Result<> wait_for(const Transport& transport, Want want, sys::Deadline deadline) {
  if (TRY(sys::wait_ready(transport.fd(), poll_events(want), deadline))) return {};
  return Error::from_errno(ETIMEDOUT, "wait for the peer");
}

}  // namespace

Result<Step> Transport::receive(std::span<char> buffer) {
  const auto count = TRY(sys::receive_now(fd(), buffer));
  if (!count) return Step{0, Want::Read};
  return Step{*count};
}

Result<Step> Transport::send(std::string_view bytes, bool more_follows) {
  const auto count = TRY(sys::send_now(fd(), bytes, more_follows));
  if (!count) return Step{0, Want::Write};
  return Step{*count};
}

std::unique_ptr<Transport> make_plain(sys::UniqueFd socket) {
  return std::make_unique<Transport>(std::move(socket));
}

Result<> handshake_until(Transport& transport, sys::Deadline deadline) {
  while (true) {
    const Step step = TRY(transport.handshake());
    if (step.want == Want::Nothing) return {};
    TRY(wait_for(transport, step.want, deadline));
  }
}

Result<std::size_t> receive_until(Transport& transport, std::span<char> buffer, sys::Deadline deadline) {
  while (true) {
    const Step step = TRY(transport.receive(buffer));
    if (step.want == Want::Nothing) return step.count;
    TRY(wait_for(transport, step.want, deadline));
  }
}

Result<> send_until(Transport& transport, std::string_view bytes, sys::Deadline deadline, bool more_follows) {
  while (!bytes.empty()) {
    const Step step = TRY(transport.send(bytes, more_follows));
    bytes.remove_prefix(step.count);
    if (step.want != Want::Nothing) TRY(wait_for(transport, step.want, deadline));
  }
  return {};
}

}  // namespace http::detail
