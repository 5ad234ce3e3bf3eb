#include "cgroup/systemd_manager.h"

#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

#include "codec/describe.h"
#include "sys/companion.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace cgroup {

using base::Result;
namespace message = systemd_message;

namespace {

constexpr std::string_view kProgram = "caisson-systemd";
/// Longer than caisson-systemd waits for a call and for a job.
constexpr std::chrono::seconds kPatience{90};

/// Where the user's manager is: the only part of the environment that matters.
std::vector<std::string> environment() {
  std::vector<std::string> out;
  for (const char* name : {"XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes it
    if (value != nullptr) out.push_back(fmt::format("{}={}", name, value));
  }
  return out;
}

base::Error error_of(const message::Reply& reply) {
  const auto is = [&](std::string_view name) { return reply.name.ends_with(name); };
  const std::string text = reply.name.empty() ? reply.error : fmt::format("{} ({})", reply.error, reply.name);
  if (is(".UnitExists")) return base::conflict(text);
  if (is(".NoSuchUnit")) return base::not_found(text);
  if (is(".InvalidArgs") || is(".PropertyReadOnly")) return base::invalid(text);
  if (is(".NoReply") || is(".Timeout") || is(".Disconnected")) return base::unavailable(text);
  return base::internal(text);
}

}  // namespace

Result<bool> SystemdManager::booted() { return sys::exists(sys::kCwd, "/run/systemd/system"); }

Result<SystemdManager> SystemdManager::start(bool user) {
  return start_program(TRY(sys::find_companion(kProgram).context("the systemd cgroup driver")), user);
}

Result<SystemdManager> SystemdManager::start_program(const std::string& program, bool user) {
  auto pair = TRY(sys::make_socket_pair(SOCK_SEQPACKET));
  const sys::UniqueFd null = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDWR));
  // An orphan, since a caller such as the shim reaps whatever child it has.
  TRY(sys::spawn({
          .path = program,
          .argv = {std::string{kProgram}, user ? "user" : "system"},
          .env = environment(),
          .fds = {{null.get(), 0}, {null.get(), 1}, {null.get(), 2}, {pair.second.get(), message::kDescriptor}},
          .cwd = "/",
          .orphan = true,
      })
          .context("start the speaker to systemd"));
  return SystemdManager{std::move(pair.first)};
}

Result<std::string> SystemdManager::receive() {
  if (!sys::poll_readable(socket_.get(), kPatience)) {
    return base::unavailable(fmt::format("systemd did not answer in {} s", kPatience.count()));
  }
  auto packet = TRY(sys::receive_message(socket_.get(), message::kLongest));
  if (!packet) return base::internal(fmt::format("{} ended unexpectedly", kProgram));
  return std::move(packet->bytes);
}

Result<SystemdFacts> SystemdManager::facts() {
  if (facts_) return *facts_;
  const std::string text = TRY(receive());
  const auto greeting = TRY(codec::from_json<message::Greeting>(TRY(codec::Json::parse(text))));
  if (!greeting.error.empty()) return base::unavailable("no connection to systemd: " + greeting.error);
  facts_ = SystemdFacts{greeting.version, greeting.control_group};
  return *facts_;
}

Result<message::Reply> SystemdManager::ask(const message::Request& request) {
  TRY(facts());
  const std::string text = codec::to_json(request).dump();
  if (text.size() > message::kLongest) return base::invalid("the unit's properties are too long for systemd");
  TRY(sys::send_message(socket_.get(), text));
  const std::string answer = TRY(receive());
  return codec::from_json<message::Reply>(TRY(codec::Json::parse(answer)));
}

Result<> SystemdManager::done(const message::Request& request, std::string_view intent) {
  const auto reply = TRY(ask(request).context(fmt::format("{} {}", intent, request.unit)));
  if (reply.error.empty()) return {};
  return error_of(reply).context(fmt::format("{} {}", intent, request.unit));
}

Result<> SystemdManager::start_unit(const std::string& unit, std::vector<UnitProperty> properties) {
  return done({.verb = std::string{message::kStart}, .unit = unit, .properties = std::move(properties)}, "unable to start unit");
}

Result<> SystemdManager::set_properties(const std::string& unit, std::vector<UnitProperty> properties) {
  return done({.verb = std::string{message::kSet}, .unit = unit, .properties = std::move(properties)}, "unable to set properties of unit");
}

Result<> SystemdManager::stop_unit(const std::string& unit) {
  auto stopped = done({.verb = std::string{message::kStop}, .unit = unit}, "unable to stop unit");
  return stopped.failed_as(base::ErrorKind::NotFound) ? Result<>{} : std::move(stopped);
}

Result<> SystemdManager::attach(const std::string& unit, const std::string& subgroup, pid_t pid) {
  return done({.verb = std::string{message::kAttach}, .unit = unit, .subgroup = subgroup, .pid = pid}, "unable to add a process to unit");
}

}  // namespace cgroup
