#include "cmd/caisson-systemd/manager.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/strings.h"
#include "cmd/caisson-systemd/values.h"

namespace caisson_systemd {

using base::Result;
using cgroup::systemd_message::Greeting;
using cgroup::systemd_message::Reply;
using cgroup::systemd_message::Request;

namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kInterface = "org.freedesktop.systemd1.Manager";
constexpr std::string_view kUnitExists = "org.freedesktop.systemd1.UnitExists";
constexpr std::string_view kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";

constexpr std::chrono::seconds kCallPatience{25};
constexpr std::chrono::seconds kJobPatience{30};

struct UnrefMessage {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, UnrefMessage>;

struct UnrefSlot {
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using Slot = std::unique_ptr<sd_bus_slot, UnrefSlot>;

/// sd_bus_error with its end.
class CallError {
 public:
  CallError() = default;
  CallError(const CallError&) = delete;
  CallError& operator=(const CallError&) = delete;
  ~CallError() { sd_bus_error_free(&error_); }

  sd_bus_error* get() { return &error_; }
  [[nodiscard]] Reply reply(int result) const {
    Reply out;
    out.name = error_.name == nullptr ? "" : error_.name;
    out.error = error_.message != nullptr ? error_.message : std::strerror(-result);  // NOLINT(concurrency-mt-unsafe)
    return out;
  }

 private:
  sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

Reply failure(int result) { return CallError{}.reply(result); }

std::string text_of(int result) { return std::strerror(-result); }  // NOLINT(concurrency-mt-unsafe): one thread

/// What a D-Bus address may not contain as it is.
std::string address_of(std::string_view path) {
  std::string out = "unix:path=";
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view{"-_/.\\*"}.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

struct Candidate {
  std::string name;
  std::string address;  ///< empty: the one that sd-bus knows for the system's or the user's bus
  bool direct;          ///< the manager itself: no daemon in between, no names
};

std::vector<Candidate> candidates(bool user) {
  if (!user) {
    return {{"/run/systemd/private", address_of("/run/systemd/private"), true}, {"the system bus", {}, false}};
  }
  std::vector<Candidate> out;
  const std::string directory = variable("XDG_RUNTIME_DIR");
  if (!directory.empty()) {
    const std::string path = directory + "/systemd/private";
    out.push_back({path, address_of(path), true});
  }
  out.push_back({"the user bus", {}, false});
  return out;
}

int open_bus(const Candidate& candidate, bool user, Bus& out) {
  sd_bus* bus = nullptr;
  if (!candidate.direct) {
    const int opened = user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);
    if (opened < 0) return opened;
    out.reset(bus);
    return 0;
  }
  if (const int made = sd_bus_new(&bus); made < 0) return made;
  out.reset(bus);
  if (const int set = sd_bus_set_address(bus, candidate.address.c_str()); set < 0) return set;
  return sd_bus_start(bus);
}

int property(sd_bus* bus, const char* name, std::string& out) {
  CallError error;
  char* text = nullptr;
  const int got = sd_bus_get_property_string(bus, kService, kObject, kInterface, name, error.get(), &text);
  if (got < 0) return got;
  out = text;
  std::free(text);  // NOLINT(cppcoreguidelines-no-malloc): sd-bus allocates it so
  return 0;
}

/// "252.39-1~deb12u2", "v245": the number.
std::uint64_t version_number(std::string_view text) {
  const std::size_t start = text.find_first_of("0123456789");
  if (start == std::string_view::npos) return 0;
  text.remove_prefix(start);
  return base::parse_uint(text.substr(0, text.find_first_not_of("0123456789"))).value_or(0);
}

/// The ends of jobs, from before one is asked for until it is over.
class JobEnds {
 public:
  int watch(sd_bus* bus) {
    sd_bus_slot* slot = nullptr;
    // Who speaks directly has no name; on a message bus others could send the same.
    const char* sender = sd_bus_is_bus_client(bus) > 0 ? kService : nullptr;
    const int matched = sd_bus_match_signal(bus, &slot, sender, kObject, kInterface, "JobRemoved", &JobEnds::removed, this);
    slot_.reset(slot);
    return matched;
  }

  /// "done", or how else it ended; empty when it did not end in time.
  Result<std::string> wait(sd_bus* bus, const std::string& job) {
    const auto end = std::chrono::steady_clock::now() + kJobPatience;
    while (true) {
      for (const auto& [path, result] : ended_) {
        if (path == job) return result;
      }
      const int processed = sd_bus_process(bus, nullptr);
      if (processed < 0) return base::internal("connection to systemd lost: " + text_of(processed));
      if (processed > 0) continue;
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) return std::string{};
      const int waited = sd_bus_wait(bus, static_cast<std::uint64_t>(left.count()));
      if (waited < 0 && waited != -EINTR) return base::internal("connection to systemd lost: " + text_of(waited));
    }
  }

 private:
  struct End {
    std::string path;
    std::string result;
  };
  static int removed(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    std::uint32_t number = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (sd_bus_message_read(message, "uoss", &number, &path, &unit, &result) >= 0) {
      static_cast<JobEnds*>(self)->ended_.push_back({path, result});
    }
    return 0;
  }

  std::vector<End> ended_;
  Slot slot_;
};

int new_call(sd_bus* bus, const char* method, Message& out) {
  sd_bus_message* message = nullptr;
  const int made = sd_bus_message_new_method_call(bus, &message, kService, kObject, kInterface, method);
  out.reset(message);
  return made;
}

Reply call(sd_bus* bus, const Message& message, std::string* job = nullptr) {
  CallError error;
  sd_bus_message* answer = nullptr;
  constexpr auto kMicroseconds = std::chrono::duration_cast<std::chrono::microseconds>(kCallPatience).count();
  const int called = sd_bus_call(bus, message.get(), kMicroseconds, error.get(), &answer);
  const Message owned{answer};
  if (called < 0) return error.reply(called);
  if (job == nullptr) return {};
  const char* path = nullptr;
  if (const int read = sd_bus_message_read(answer, "o", &path); read < 0) return failure(read);
  *job = path;
  return {};
}

/// Adds "a(sv)".
Reply append_properties(const Message& message, const std::vector<cgroup::UnitProperty>& properties) {
  if (const int opened = sd_bus_message_open_container(message.get(), 'a', "(sv)"); opened < 0) return failure(opened);
  for (const auto& one : properties) {
    const codec::Json variant = codec::Json::object({{"s", one.signature}, {"v", one.value}});
    const auto added = append(message.get(), "(sv)", codec::Json::array({one.name, variant}));
    if (!added) return {.error = fmt::format("property {}: {}", one.name, added.error().message()), .name = SD_BUS_ERROR_INVALID_ARGS};
  }
  const int closed = sd_bus_message_close_container(message.get());
  return closed < 0 ? failure(closed) : Reply{};
}

Reply reset_failed(sd_bus* bus, const std::string& unit) {
  Message message;
  int result = new_call(bus, "ResetFailedUnit", message);
  if (result >= 0) result = sd_bus_message_append(message.get(), "s", unit.c_str());
  return result < 0 ? failure(result) : call(bus, message);
}

Reply wait_for(sd_bus* bus, JobEnds& ends, const std::string& job, std::string_view what) {
  const auto result = ends.wait(bus, job);
  if (!result) return {.error = result.error().message(), .name = {}};
  if (*result == "done") return {};
  if (result->empty()) {
    return {.error = fmt::format("the job to {} it did not end in {} s", what, kJobPatience.count()), .name = SD_BUS_ERROR_TIMEOUT};
  }
  return {.error = fmt::format("the job to {} it ended as {}", what, base::quoted(*result)), .name = {}};
}

Reply start_once(sd_bus* bus, const Request& request) {
  JobEnds ends;
  if (const int watched = ends.watch(bus); watched < 0) return failure(watched);
  Message message;
  int result = new_call(bus, "StartTransientUnit", message);
  if (result >= 0) result = sd_bus_message_append(message.get(), "ss", request.unit.c_str(), "replace");
  if (result < 0) return failure(result);
  if (auto added = append_properties(message, request.properties); !added.error.empty()) return added;
  // No auxiliary units.
  if (result = sd_bus_message_append(message.get(), "a(sa(sv))", 0); result < 0) return failure(result);
  std::string job;
  if (auto called = call(bus, message, &job); !called.error.empty()) return called;
  return wait_for(bus, ends, job, "start");
}

Reply start(sd_bus* bus, const Request& request) {
  auto started = start_once(bus, request);
  if (started.name == kUnitExists) {
    // What a failed unit of that name left goes away by this, a living one does not.
    if (reset_failed(bus, request.unit).error.empty()) started = start_once(bus, request);
  } else if (!started.error.empty()) {
    reset_failed(bus, request.unit);
  }
  return started;
}

Reply set(sd_bus* bus, const Request& request) {
  Message message;
  int result = new_call(bus, "SetUnitProperties", message);
  // true: for the life of the unit, which is transient anyway; nothing is written to /etc.
  if (result >= 0) result = sd_bus_message_append(message.get(), "sb", request.unit.c_str(), 1);
  if (result < 0) return failure(result);
  if (auto added = append_properties(message, request.properties); !added.error.empty()) return added;
  return call(bus, message);
}

Reply stop(sd_bus* bus, const Request& request) {
  JobEnds ends;
  if (const int watched = ends.watch(bus); watched < 0) return failure(watched);
  Message message;
  int result = new_call(bus, "StopUnit", message);
  if (result >= 0) result = sd_bus_message_append(message.get(), "ss", request.unit.c_str(), "replace");
  if (result < 0) return failure(result);
  std::string job;
  Reply stopped = call(bus, message, &job);
  if (stopped.error.empty()) stopped = wait_for(bus, ends, job, "stop");
  // A unit that failed stays until it is forgotten; one that has just gone is what was wanted.
  reset_failed(bus, request.unit);
  return stopped.name == kNoSuchUnit ? Reply{} : stopped;
}

Reply attach(sd_bus* bus, const Request& request) {
  Message message;
  int result = new_call(bus, "AttachProcessesToUnit", message);
  if (result >= 0) {
    result = sd_bus_message_append(message.get(), "ssau", request.unit.c_str(), request.subgroup.c_str(), 1,
                                   static_cast<std::uint32_t>(request.pid));
  }
  return result < 0 ? failure(result) : call(bus, message);
}

}  // namespace

Result<Manager> Manager::connect(bool user, Greeting& greeting) {
  std::string tried;
  for (const auto& candidate : candidates(user)) {
    Bus bus;
    std::string version;
    int result = open_bus(candidate, user, bus);
    // The first answer is what proves that the manager takes calls from this user here.
    if (result >= 0) result = property(bus.get(), "Version", version);
    if (result >= 0) result = property(bus.get(), "ControlGroup", greeting.control_group);
    if (result >= 0 && !candidate.direct) {
      // Over a message bus it sends signals only to who has asked for them.
      Message message;
      result = new_call(bus.get(), "Subscribe", message);
      const auto subscribed = result < 0 ? failure(result) : call(bus.get(), message);
      if (!subscribed.error.empty()) return base::unavailable(fmt::format("{}: {}", candidate.name, subscribed.error));
    }
    if (result >= 0) {
      greeting.version = version_number(version);
      return Manager{std::move(bus)};
    }
    tried += fmt::format("{}{}: {}", tried.empty() ? "" : ", ", candidate.name, text_of(result));
  }
  return base::unavailable(tried);
}

Reply Manager::answer(const Request& request) {
  if (request.verb == cgroup::systemd_message::kStart) return start(bus_.get(), request);
  if (request.verb == cgroup::systemd_message::kSet) return set(bus_.get(), request);
  if (request.verb == cgroup::systemd_message::kStop) return stop(bus_.get(), request);
  if (request.verb == cgroup::systemd_message::kAttach) return attach(bus_.get(), request);
  return {.error = "unknown request " + base::quoted(request.verb), .name = {}};
}

}  // namespace caisson_systemd
