#include <algorithm>

#include "base/strings.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "cli/container/options.h"
#include "cli/container/ports.h"
#include "cli/container/volumes.h"
#include "client/containers.h"

namespace cli {

using base::Result;

namespace {

class Update final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    auto& resources = request_.resources;
    flags("blkio-weight", resources.blkio_weight);
    flags("cpu-period", resources.cpu_period);
    flags("cpu-quota", resources.cpu_quota);
    flags("cpu-rt-period", resources.cpu_realtime_period);
    flags("cpu-rt-runtime", resources.cpu_realtime_runtime);
    flags("cpu-shares", resources.cpu_shares);
    flags("cpus", flags::nano_cpus(resources.nano_cpus));
    flags("cpuset-cpus", resources.cpuset_cpus);
    flags("cpuset-mems", resources.cpuset_mems);
    flags("kernel-memory", flags::bytes(kernel_memory_));
    flags("memory", flags::bytes(resources.memory));
    flags("memory-reservation", flags::bytes(resources.memory_reservation));
    flags("memory-swap", flags::bytes_or_unlimited(resources.memory_swap));
    flags("pids-limit", pids_limit_);
    flags("restart", restart_);
    flags("env-add", flags::custom<add_env>(env_add_, "list"));
    flags("env-rm", env_remove_);
    flags("label-add", flags::custom<add_label>(label_add_, "list"));
    flags("label-rm", label_remove_);
    flags("mount-add", flags::custom<add_mount>(mount_add_, "mount"));
    flags("mount-rm", mount_remove_);
    flags("publish-add", publish_add_);
    flags("publish-rm", publish_remove_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const bool any = std::ranges::any_of(invocation.row.flags, [&](const FlagRow& flag) {
      return invocation.flags.changed(flag.name);
    });
    if (!any) return base::invalid("you must provide one or more flags when using this command");
    request_.restart_policy = TRY(parse_restart(restart_));
    if (pids_limit_ != 0) request_.resources.pids_limit = pids_limit_;
    TRY(add_changes());
    client::Containers containers{*TRY(cli.client())};
    std::vector<std::string> warnings, errors;
    for (const auto& name : invocation.arguments) {
      const auto told = containers.update(name, request_);
      if (told) {
        cli.out().line("{}", name);
        warnings.insert(warnings.end(), told->begin(), told->end());
      } else {
        errors.push_back(told.error().message());
      }
    }
    if (!warnings.empty()) cli.out().line("{}", base::join(warnings, "\n"));
    if (!errors.empty()) return base::internal(base::join(errors, "\n"));
    return 0;
  }

 private:
  /// What this engine can change beyond docker's.
  Result<> add_changes() {
    spec::api::ConfigChanges& changes = request_.changes;
    const auto put = [](auto& field, const auto& value) {
      if (!value.empty()) field = value;
    };
    put(changes.env_add, TRY(collect_env({}, env_add_)));
    put(changes.env_remove, env_remove_);
    put(changes.label_add, TRY(collect_labels({}, label_add_)));
    put(changes.label_remove, label_remove_);
    put(changes.mount_add, mount_add_);
    put(changes.mount_remove, mount_remove_);
    put(changes.publish_add, TRY(parse_published_ports(publish_add_)).bindings);
    put(changes.publish_remove, publish_remove_);
    return {};
  }

  spec::api::UpdateRequest request_;
  std::string restart_;
  std::vector<std::string> env_add_, env_remove_, label_add_, label_remove_, mount_remove_, publish_add_,
      publish_remove_;
  std::vector<spec::api::Mount> mount_add_;
  std::int64_t pids_limit_ = 0, kernel_memory_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_update() { return std::make_unique<Update>(); }

}  // namespace cli
