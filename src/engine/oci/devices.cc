#include <algorithm>
#include <array>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/strings.h"
#include "engine/oci/cdi.h"
#include "engine/oci/spec_builder.h"
#include "sys/file.h"

namespace engine::oci {
namespace {

using spec::oci::Device;
using spec::oci::DeviceRule;

/// Everything denied but null, zero, full, random, urandom, tty, console; mknod of others is allowed
/// by none of them. The runtime adds what it needs itself (ptmx, pts).
std::vector<DeviceRule> default_rules() {
  constexpr std::array<std::array<std::int64_t, 2>, 6> allowed = {{{1, 5}, {1, 3}, {1, 9}, {1, 8}, {5, 0}, {5, 1}}};
  std::vector<DeviceRule> rules{{.allow = false, .access = "rwm"}};
  for (const auto& [major, minor] : allowed) {
    rules.push_back({.allow = true, .type = "c", .major = major, .minor = minor, .access = "rwm"});
  }
  rules.push_back({.allow = false, .type = "c", .major = 10, .minor = 229, .access = "rwm"});
  return rules;
}

std::optional<Device> device_of(const struct ::stat& info, std::string path) {
  if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode)) return std::nullopt;
  Device device;
  device.type = S_ISCHR(info.st_mode) ? "c" : "b";
  device.path = std::move(path);
  device.major = static_cast<std::int64_t>(major(info.st_rdev));
  device.minor = static_cast<std::int64_t>(minor(info.st_rdev));
  device.file_mode = info.st_mode & 0777;
  device.uid = info.st_uid;
  device.gid = info.st_gid;
  return device;
}

DeviceRule rule_for(const Device& device, const std::string& access) {
  return {.allow = true, .type = device.type, .major = device.major, .minor = device.minor, .access = access};
}

/// All device nodes below a folder; `depth` bounds a tree that somebody made deep.
base::Result<> collect(const std::string& from, const std::string& to, unsigned depth,
                       std::vector<Device>& devices) {
  const auto dir = TRY(sys::open_dir(sys::kCwd, from));
  for (const sys::DirEntry& entry : TRY(sys::list_dir(dir.get()))) {
    const auto info = sys::stat_at(dir.get(), entry.name);
    if (!info) continue;  // gone meanwhile
    if (S_ISDIR(info->st_mode) && depth > 0) {
      TRY(collect(from + "/" + entry.name, to + "/" + entry.name, depth - 1, devices));
    } else if (auto device = device_of(*info, to + "/" + entry.name)) {
      devices.push_back(*std::move(device));
    }
  }
  return {};
}

/// The host's, but not those that each container has of its own, nor file systems in /dev.
base::Result<std::vector<Device>> all_host_devices() {
  constexpr std::array<std::string_view, 7> skipped = {"pts", "shm", "fd", "mqueue", "console", ".lxc", ".udev"};
  constexpr std::array<std::string_view, 8> of_the_runtime = {"null", "zero", "full",  "tty",
                                                              "random", "urandom", "ptmx", "console"};
  std::vector<Device> devices;
  const auto dir = TRY(sys::open_dir(sys::kCwd, "/dev"));
  for (const sys::DirEntry& entry : TRY(sys::list_dir(dir.get()))) {
    if (std::ranges::find(skipped, entry.name) != skipped.end()) continue;
    if (std::ranges::find(of_the_runtime, entry.name) != of_the_runtime.end()) continue;
    const auto info = sys::stat_at(dir.get(), entry.name);
    if (!info) continue;
    if (S_ISDIR(info->st_mode)) {
      TRY(collect("/dev/" + entry.name, "/dev/" + entry.name, 4, devices));
    } else if (auto device = device_of(*info, "/dev/" + entry.name)) {
      devices.push_back(*std::move(device));
    }
  }
  return devices;
}

base::Result<std::vector<Device>> mapped_devices(const spec::api::DeviceMapping& mapping) {
  const std::string& host = mapping.path_on_host;
  const std::string target = mapping.path_in_container.empty() ? host : mapping.path_in_container;
  const std::string intent = "error gathering device information while adding custom device " + base::quoted(host);
  // --device /dev/disk/by-id/x is a symlink: what it names is meant.
  const auto opened = sys::open_at(sys::kCwd, host, O_PATH);
  if (!opened) {
    if (opened.error().is(base::ErrorKind::NotFound)) return base::invalid(intent + ": no such file or directory");
    return base::Error{opened.error()}.context(intent);
  }
  const struct ::stat info = TRY(sys::stat_fd(opened->get()).context(intent));
  std::vector<Device> devices;
  if (S_ISDIR(info.st_mode)) {
    TRY(collect(host, target, 8, devices).context(intent));
  } else if (auto device = device_of(info, target)) {
    devices.push_back(*std::move(device));
  }
  if (devices.empty()) return base::invalid(intent + ": not a device node");
  return devices;
}

base::Result<DeviceRule> parse_rule(const std::string& text) {
  const auto bad = [&] { return base::invalid("invalid device cgroup rule format: '" + text + "'"); };
  const auto words = base::split_words(text);
  if (words.size() != 3 || (words[0] != "a" && words[0] != "b" && words[0] != "c")) return bad();
  const auto numbers = base::cut(words[1], ":");
  if (!numbers) return bad();
  DeviceRule rule{.allow = true, .type = std::string{words[0]}, .access = std::string{words[2]}};
  for (const auto& [word, field] : {std::pair{numbers->first, &rule.major}, std::pair{numbers->second, &rule.minor}}) {
    if (word == "*") continue;
    const auto number = base::parse_uint(word);
    if (!number) return bad();
    *field = static_cast<std::int64_t>(*number);
  }
  if (rule.access.empty() || rule.access.find_first_not_of("rwm") != std::string::npos) return bad();
  return rule;
}

}  // namespace

base::Result<> add_devices(const Input& input, spec::oci::Spec& spec) {
  auto& section = *spec.linux_section;
  auto& rules = section.resources->devices;
  const spec::api::Resources& asked = input.host.resources;
  if (input.host.privileged) {
    section.devices = TRY(all_host_devices());
    rules.push_back({.allow = true, .access = "rwm"});
  } else {
    rules = default_rules();
  }
  if (asked.devices) {
    for (const spec::api::DeviceMapping& mapping : *asked.devices) {
      const std::string access = mapping.cgroup_permissions.empty() ? "rwm" : mapping.cgroup_permissions;
      for (Device& device : TRY(mapped_devices(mapping))) {
        std::erase_if(section.devices, [&](const Device& there) { return there.path == device.path; });
        if (!input.host.privileged) rules.push_back(rule_for(device, access));
        section.devices.push_back(std::move(device));
      }
    }
  }
  if (asked.device_cgroup_rules) {
    for (const std::string& rule : *asked.device_cgroup_rules) rules.push_back(TRY(parse_rule(rule)));
  }
  if (asked.device_requests && !asked.device_requests->empty()) {
    const CdiDevices devices = CdiDevices::load(input.defaults.cdi_spec_dirs);
    TRY(devices.inject(TRY(requested_devices(*asked.device_requests, devices)), spec));
  }
  return {};
}

}  // namespace engine::oci
