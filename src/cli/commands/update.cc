#include <algorithm>

#include "base/strings.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/container/options.h"
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
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const bool any = std::ranges::any_of(invocation.row.flags, [&](const FlagRow& flag) {
      return invocation.flags.changed(flag.name);
    });
    if (!any) return base::invalid("you must provide one or more flags when using this command");
    request_.restart_policy = TRY(parse_restart(restart_));
    if (pids_limit_ != 0) request_.resources.pids_limit = pids_limit_;
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
  spec::api::UpdateRequest request_;
  std::string restart_;
  std::int64_t pids_limit_ = 0, kernel_memory_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_update() { return std::make_unique<Update>(); }

}  // namespace cli
