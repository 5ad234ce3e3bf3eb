#include <algorithm>
#include <array>

#include "cli/commands/all.h"
#include "cli/manifest/remote.h"

namespace cli {

using base::Result;

namespace {

/// What docker takes: the ports of Go that registries serve images for.
constexpr std::array<std::string_view, 29> kPlatforms = {
    "darwin/386",    "darwin/amd64",  "darwin/arm",     "darwin/arm64", "dragonfly/amd64", "freebsd/386",
    "freebsd/amd64", "freebsd/arm",   "linux/386",      "linux/amd64",  "linux/arm",       "linux/arm64",
    "linux/loong64", "linux/mips64",  "linux/mips64le", "linux/ppc64le", "linux/riscv64",  "linux/s390x",
    "netbsd/386",    "netbsd/amd64",  "netbsd/arm",     "openbsd/386",  "openbsd/amd64",   "openbsd/arm",
    "plan9/386",     "plan9/amd64",   "solaris/amd64",  "windows/386",  "windows/amd64"};

class ManifestAnnotate final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("arch", arch_);
    flags("os", os_);
    flags("os-features", flags::comma_list(os_features_));
    flags("os-version", os_version_);
    flags("variant", variant_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto list = TRY(manifest_reference(invocation.arguments[0]).context("annotate: error parsing name for manifest list " +
                                                                             invocation.arguments[0]));
    const auto reference = TRY(manifest_reference(invocation.arguments[1]).context("annotate: error parsing name for manifest " +
                                                                                  invocation.arguments[1]));
    const ManifestStore store{cli};
    auto entry = TRY(store.get(list, reference));
    if (!entry) {
      return base::not_found("manifest for image " + list_name(reference) + " does not exist in " + list_name(list));
    }
    auto& platform = entry->descriptor.platform;
    if (!platform) platform.emplace();
    if (!arch_.empty()) platform->architecture = arch_;
    if (!os_.empty()) platform->os = os_;
    if (!variant_.empty()) platform->variant = variant_;
    if (!os_version_.empty()) platform->os_version = os_version_;
    for (const auto& feature : os_features_) {
      if (std::ranges::find(platform->os_features, feature) == platform->os_features.end()) {
        platform->os_features.push_back(feature);
      }
    }
    const std::string pair = platform->os + "/" + platform->architecture;
    if (std::ranges::find(kPlatforms, pair) == kPlatforms.end()) {
      // In docker's words: what the flags say.
      return base::invalid("manifest entry for image has unsupported os/arch combination: " + os_ + "/" + arch_);
    }
    TRY(store.put(list, reference, *entry));
    return 0;
  }

 private:
  std::string arch_, os_, os_version_, variant_;
  std::vector<std::string> os_features_;
};

}  // namespace

std::unique_ptr<Command> make_manifest_annotate() { return std::make_unique<ManifestAnnotate>(); }

}  // namespace cli
