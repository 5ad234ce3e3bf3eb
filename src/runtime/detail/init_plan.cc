#include "runtime/detail/init_plan.h"

#include <algorithm>
#include <array>

#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/check_config.h"
#include "sys/file.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace runtime::detail {

using base::Result;

namespace {

struct NamespaceName {
  std::string_view name;
  int type;
};
constexpr std::array<NamespaceName, 8> kNamespaces{{{"mount", CLONE_NEWNS},
                                                    {"pid", CLONE_NEWPID},
                                                    {"network", CLONE_NEWNET},
                                                    {"uts", CLONE_NEWUTS},
                                                    {"ipc", CLONE_NEWIPC},
                                                    {"user", CLONE_NEWUSER},
                                                    {"cgroup", CLONE_NEWCGROUP},
                                                    {"time", CLONE_NEWTIME}}};

Result<> plan_namespaces(InitPlan& plan) {
  int seen = 0;
  for (const auto& one : plan.section->namespaces) {
    const auto* known = std::ranges::find(kNamespaces, std::string_view{one.type}, &NamespaceName::name);
    if (known == kNamespaces.end()) return base::invalid("unknown namespace type " + base::quoted(one.type));
    if ((seen & known->type) != 0) return base::invalid(fmt::format("namespace {} is given twice", one.type));
    seen |= known->type;
    if (one.path.empty()) {
      plan.new_namespaces |= known->type;
      continue;
    }
    if (!one.path.starts_with('/')) {
      return base::invalid(fmt::format("linux.namespaces: the path of the {} namespace must be absolute", one.type));
    }
    sys::UniqueFd fd = TRY(sys::open_at(sys::kCwd, one.path, O_RDONLY).context("namespace path"));
    const auto type = sys::namespace_type(fd.get());
    if (!type || *type != known->type) {
      return base::invalid(fmt::format("{} is not a {} namespace", one.path, one.type));
    }
    if (known->type == CLONE_NEWPID) {
      plan.joined_pid = std::move(fd);
    } else if (known->type == CLONE_NEWUSER) {
      plan.joined_user = std::move(fd);
    } else {
      plan.joined.push_back({known->type, std::move(fd)});
    }
  }
  return {};
}

}  // namespace

bool InitPlan::has_private(int type) const {
  return makes(type) || std::ranges::any_of(joined, [&](const JoinedNamespace& one) { return one.type == type; });
}

bool InitPlan::parent_writes_offsets() const {
  return in_user_namespace() && makes(CLONE_NEWTIME) && !section->time_offsets.empty();
}

std::string time_offsets_text(const spec::oci::Linux& section) {
  std::string out;
  for (const auto& [clock, offset] : section.time_offsets) {
    out += fmt::format("{} {} {}\n", clock, offset.secs, offset.nanosecs);
  }
  return out;
}

bool InitPlan::in_user_namespace() const { return makes(CLONE_NEWUSER) || joined_user.valid(); }

bool InitPlan::waits_for_parent() const {
  if (spec->hooks && !(spec->hooks->prestart.empty() && spec->hooks->create_runtime.empty())) return true;
  if (!section->net_devices.empty()) return true;
  // Settings of one interface, and somebody else brings the interfaces.
  const auto of_interface = [](const auto& setting) {
    return setting.first.find("conf") != std::string::npos || setting.first.find("neigh") != std::string::npos;
  };
  return tell_namespaces && std::ranges::any_of(section->sysctl, of_interface);
}

Result<InitPlan> plan_init(const spec::oci::Spec& spec, const CreateOptions& options) {
  InitPlan plan;
  plan.spec = &spec;
  if (!spec.process) return base::invalid("process property must not be empty");
  if (!spec.linux_section) return base::invalid("the configuration has no linux section");
  plan.section = &*spec.linux_section;
  plan.process = &*spec.process;
  plan.id = options.id;
  plan.bundle = options.bundle;
  plan.preserve_fds = options.preserve_fds;
  plan.no_pivot = options.no_pivot;
  plan.plain_newlines = options.plain_newlines;
  plan.unprivileged = ::geteuid() != 0;
  if (!options.no_new_keyring) plan.keyring = "_ses." + options.id;
  TRY(plan_namespaces(plan));
  TRY(check_config(plan));
  return plan;
}

Result<std::string> sysctl_path(const std::string& key, const InitPlan& plan) {
  // "net.ipv4.conf.eth0/1.x" and "net/ipv4/conf/eth0.1/x" are both in use: the first separator decides.
  std::string path = key;
  if (const auto first = key.find_first_of("./"); first != std::string::npos && key[first] == '.') {
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  }
  for (const auto part : base::split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return base::invalid("invalid sysctl " + base::quoted(key));
  }
  static constexpr std::array<std::string_view, 8> kIpc{
      "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
      "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced"};
  bool allowed = false;
  if (std::ranges::find(kIpc, path) != kIpc.end() || path.starts_with("fs/mqueue/")) {
    allowed = plan.has_private(CLONE_NEWIPC);
  } else if (path.starts_with("net/")) {
    allowed = plan.has_private(CLONE_NEWNET);
  } else if (path == "kernel/domainname") {
    allowed = plan.has_private(CLONE_NEWUTS);
  } else if (path.starts_with("user/")) {
    allowed = plan.in_user_namespace();
  }
  if (!allowed) return base::invalid(fmt::format("sysctl {} is not in a separate kernel namespace", base::quoted(key)));
  return path;
}

}  // namespace runtime::detail
