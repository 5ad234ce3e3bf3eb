/// caisson-systemd: speaks D-Bus to the service manager for the static programs, which can't link libsystemd.
/// Started by cgroup::SystemdManager with a socket as descriptor 3, ends with it.

#include <unistd.h>

#include "cmd/caisson-systemd/manager.h"
#include "codec/describe.h"
#include "sys/socket.h"

namespace caisson_systemd {
namespace {

namespace message = cgroup::systemd_message;
using base::Result;

template <class T>
Result<> send(T& packet) {
  return sys::send_message(message::kDescriptor, codec::to_json(packet).dump());
}

Result<message::Request> parse(const std::string& text) {
  const auto json = TRY(codec::Json::parse(text));
  return codec::from_json<message::Request>(json);
}

Result<> serve(bool user) {
  message::Greeting greeting;
  auto manager = Manager::connect(user, greeting);
  if (!manager) {
    greeting.error = manager.error().message();
    return send(greeting);
  }
  TRY(send(greeting));
  while (true) {
    const auto packet = TRY(sys::receive_message(message::kDescriptor, message::kLongest));
    if (!packet) return {};
    const auto request = parse(packet->bytes);
    message::Reply reply;
    if (request) {
      reply = manager->answer(*request);
    } else {
      reply.error = request.error().message();
    }
    TRY(send(reply));
  }
}

}  // namespace
}  // namespace caisson_systemd

int main(int argc, char** argv) {
  const bool user = argc == 2 && std::string_view{argv[1]} == "user";
  // A peer that went away needs no answer, and there is nobody else to tell.
  return caisson_systemd::serve(user) ? 0 : 1;
}
