#include "engine/oci/capabilities.h"

#include <algorithm>
#include <array>

namespace engine::oci {
namespace {

constexpr std::array<std::string_view, 41> kNames = {
    "CAP_CHOWN",           "CAP_DAC_OVERRIDE",   "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID",          "CAP_KILL",           "CAP_SETGID",          "CAP_SETUID",
    "CAP_SETPCAP",         "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",       "CAP_NET_RAW",        "CAP_IPC_LOCK",        "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",      "CAP_SYS_RAWIO",      "CAP_SYS_CHROOT",      "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",       "CAP_SYS_ADMIN",      "CAP_SYS_BOOT",        "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",    "CAP_SYS_TIME",       "CAP_SYS_TTY_CONFIG",  "CAP_MKNOD",
    "CAP_LEASE",           "CAP_AUDIT_WRITE",    "CAP_AUDIT_CONTROL",   "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",    "CAP_MAC_ADMIN",      "CAP_SYSLOG",          "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",   "CAP_AUDIT_READ",     "CAP_PERFMON",         "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE"};

constexpr std::array<std::string_view, 14> kDefaults = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",  "CAP_FOWNER",           "CAP_MKNOD",
    "CAP_NET_RAW", "CAP_SETGID",       "CAP_SETUID",  "CAP_SETFCAP",          "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"};

bool contains(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

std::string full_name(std::string_view given) {
  std::string name;
  for (const char c : given) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name == "ALL" || name.starts_with("CAP_") ? name : "CAP_" + name;
}

base::Result<std::vector<std::string>> normalized(const std::vector<std::string>& given,
                                                  std::span<const std::string> available,
                                                  std::string_view option) {
  std::vector<std::string> names;
  for (const std::string& word : given) {
    std::string name = full_name(word);
    if (name != "ALL" && !contains(kNames, name)) {
      return base::invalid(std::string{option} + ": unknown capability: \"" + name + "\"");
    }
    if (name != "ALL" && !contains(available, name)) {
      return base::invalid(std::string{option} +
                           ": capability not supported by your kernel or not available in the current "
                           "environment: \"" + name + "\"");
    }
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::span<const std::string_view> capability_names() { return kNames; }
std::span<const std::string_view> default_capabilities() { return kDefaults; }

std::vector<std::string> capabilities_in(std::uint64_t mask) {
  std::vector<std::string> names;
  for (std::size_t number = 0; number < kNames.size(); ++number) {
    if ((mask >> number & 1U) != 0) names.emplace_back(kNames[number]);
  }
  return names;
}

base::Result<std::vector<std::string>> choose_capabilities(const CapabilityRequest& request,
                                                           std::span<const std::string> available) {
  const auto add = TRY(normalized(request.add, available, "invalid CapAdd"));
  const auto drop = TRY(normalized(request.drop, available, "invalid CapDrop"));
  std::vector<std::string> all{available.begin(), available.end()};
  if (request.privileged) return all;

  // Docker's order of precedence: "drop ALL" leaves only what is added by name, "add ALL" is
  // everything but what is dropped by name.
  std::vector<std::string> base;
  if (contains(add, "ALL")) {
    base = std::move(all);
  } else if (!contains(drop, "ALL")) {
    for (const std::string_view name : kDefaults) {
      if (contains(available, name)) base.emplace_back(name);
    }
  }
  std::erase_if(base, [&](const std::string& name) { return contains(drop, name); });
  for (const std::string& name : add) {
    if (name != "ALL" && !contains(base, name)) base.push_back(name);
  }
  return base;
}

}  // namespace engine::oci
