#include <array>
#include <chrono>

#include <fmt/format.h>

#include "cli/commands/all.h"
#include "cli/commands/common.h"
#include "client/client.h"
#include "flags/units.h"
#include "spec/engine/disk.h"

namespace cli {

using base::Result;
using Finding = spec::api::FsckFinding;

namespace {

constexpr std::array kColumns{
    Column<Finding>{"Bytes", "SIZE", [](const Finding& f) { return flags::human_size(static_cast<double>(f.bytes)); }},
    Column<Finding>{"Kind", "FINDING", [](const Finding& f) { return f.kind; }},
    Column<Finding>{"Problem", "PROBLEM", [](const Finding& f) { return f.problem; }},
    Column<Finding>{"Remedy", "REMEDY", [](const Finding& f) { return f.remedy; }},
    Column<Finding>{"Repaired", "REPAIRED", [](const Finding& f) { return std::string{f.repaired ? "yes" : "no"}; }},
    Column<Finding>{"Subject", "SUBJECT", [](const Finding& f) { return f.subject; }},
};
constexpr std::string_view kTable = "{{.Kind}}\t{{.Subject}}\t{{.Repaired}}\t{{.Problem}}\t{{.Remedy}}";

class SystemFsck final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("format", format_);
    flags("grace", flags::value(grace_));
    flags("quick", quick_);
    flags("repair", repair_);
  }

  /// 0: nothing is wrong any more; 1: something is.
  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    client::ApiCall call{.method = "POST", .path = "/system/fsck"};
    if (repair_) call.query.add("repair", "1");
    if (quick_) call.query.add("quick", "1");
    call.query.add("grace", std::to_string(std::chrono::ceil<std::chrono::seconds>(grace_).count()));
    const codec::Json answer = TRY(TRY(cli.client())->json(call));
    const auto report = TRY(codec::from_json<spec::api::FsckReport>(answer));
    std::size_t left = 0;
    for (const auto& finding : report.findings) left += finding.repaired ? 0 : 1;
    if (format_ == "json") {
      cli.out().line("{}", answer.dump());
    } else if (!format_.empty() || !report.findings.empty()) {
      const ListingStyle style{.table = kTable, .raw = {}, .quiet = kTable, .type = "*formatter.fsckContext"};
      TRY(print_items<Finding>(cli.out(), resolve_format(format_, style, false), style, kColumns, report.findings));
    }
    if (format_.empty()) cli.out().line("{}", summary(report, left));
    return left == 0 ? 0 : 1;
  }

 private:
  static std::string summary(const spec::api::FsckReport& report, std::size_t left) {
    const std::string looked_at = fmt::format("{} images, {} layers, {} snapshots and {} blobs were checked", report.images,
                                              report.layers, report.snapshots, report.blobs);
    if (report.findings.empty()) return looked_at + ": nothing is wrong";
    return fmt::format("{}: {} findings, {} repaired, {} left", looked_at, report.findings.size(),
                       report.findings.size() - left, left);
  }

  std::string format_;
  std::chrono::nanoseconds grace_ = std::chrono::hours{1};
  bool quick_ = false, repair_ = false;
};

}  // namespace

std::unique_ptr<Command> make_system_fsck() { return std::make_unique<SystemFsck>(); }

}  // namespace cli
