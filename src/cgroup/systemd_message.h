#pragma once
/// What a static program and caisson-systemd, which speaks D-Bus for it, say to each other: one JSON document per packet
/// of a SOCK_SEQPACKET pair, requests on descriptor 3 of caisson-systemd. It says `Greeting` once it is connected, then
/// answers each `Request` with a `Reply`, in turn, and ends with the socket. docs/adr/009-systemd-speaker.md says why it is a program.

#include <string>
#include <vector>

#include "cgroup/systemd.h"

namespace cgroup::systemd_message {

/// A packet must fit the socket's buffer; the longest is a list of devices.
inline constexpr std::size_t kLongest = 192 * 1024;
inline constexpr int kDescriptor = 3;

/// The first packet: who answered, or why nobody did.
struct Greeting {
  std::string error;  ///< empty: connected
  std::uint64_t version = 0;
  std::string control_group;
};
void describe(auto& v, Greeting& x) {
  v.opt("error", x.error);
  v.opt("version", x.version);
  v.opt("controlGroup", x.control_group);
}

inline constexpr std::string_view kStart = "start";    ///< StartTransientUnit, until its job has ended
inline constexpr std::string_view kSet = "set";        ///< SetUnitProperties, until the next boot
inline constexpr std::string_view kStop = "stop";      ///< StopUnit, until its job has ended; ResetFailedUnit
inline constexpr std::string_view kAttach = "attach";  ///< AttachProcessesToUnit

struct Request {
  std::string verb;
  std::string unit;
  std::vector<UnitProperty> properties;  ///< start, set
  std::string subgroup;                  ///< attach: "/a" below the unit's cgroup, or empty
  std::int64_t pid = 0;                  ///< attach
};
void describe(auto& v, Request& x) {
  v("verb", x.verb);
  v("unit", x.unit);
  v.opt("properties", x.properties);
  v.opt("subgroup", x.subgroup);
  v.opt("pid", x.pid);
}

struct Reply {
  std::string error;  ///< empty: done
  std::string name;   ///< "org.freedesktop.systemd1.NoSuchUnit", or empty
};
void describe(auto& v, Reply& x) {
  v.opt("error", x.error);
  v.opt("name", x.name);
}

}  // namespace cgroup::systemd_message
