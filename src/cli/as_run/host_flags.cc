/// How a container is run and kept apart: HostConfig without network, storage and resources.
#include <algorithm>

#include <fmt/format.h>

#include "cli/as_run/as_run.h"
#include "cli/as_run/flag_words.h"

namespace cli {

using spec::api::HostConfig;
using spec::api::StringList;

namespace {

constexpr std::int64_t kDefaultShm = std::int64_t{64} << 20U;

void add_security(FlagWords& words, const HostConfig& host) {
  words.list("cap-add", host.cap_add);
  words.list("cap-drop", host.cap_drop);
  for (const auto& option : host.security_opt.value_or(StringList{})) {
    // The daemon's own addition to a privileged container.
    if (!host.privileged || option != "label=disable") words.add("security-opt", option);
  }
  const bool shows_all = host.masked_paths && host.masked_paths->empty() && host.readonly_paths &&
                         host.readonly_paths->empty();
  if (shows_all && !host.privileged) words.add("security-opt", "systempaths=unconfined");
}

}  // namespace

void add_host_flags(FlagWords& words, const spec::api::ContainerInspect& container, const AsRunFacts& facts) {
  const HostConfig& host = container.host_config;
  words.flag("rm", host.auto_remove);
  if (const auto& policy = host.restart_policy; !policy.name.empty() && policy.name != "no") {
    words.add("restart", policy.maximum_retry_count == 0
                             ? policy.name
                             : fmt::format("{}:{}", policy.name, policy.maximum_retry_count));
  }
  words.flag("privileged", host.privileged);
  words.flag("read-only", host.readonly_rootfs);
  if (host.init) words.add("init", *host.init ? "true" : "false");
  add_security(words, host);
  words.list("group-add", host.group_add);
  words.text("pid", host.pid_mode);
  if (host.ipc_mode != facts.default_ipc) words.text("ipc", host.ipc_mode);
  words.text("uts", host.uts_mode);
  words.text("userns", host.userns_mode);
  if (host.cgroupns_mode != facts.default_cgroupns) words.text("cgroupns", host.cgroupns_mode);
  if (host.runtime != facts.default_runtime) words.text("runtime", host.runtime);
  words.number("oom-score-adj", host.oom_score_adj);
  if (host.shm_size != kDefaultShm) words.number("shm-size", host.shm_size);
  words.map("sysctl", host.sysctls);
  words.map("annotation", host.annotations);
  words.map("storage-opt", host.storage_opt);
  if (host.log_config.type != facts.default_log_driver || !host.log_config.config.empty()) {
    words.text("log-driver", host.log_config.type);
  }
  words.map("log-opt", host.log_config.config);
  words.text("cidfile", host.container_id_file);
}

}  // namespace cli
