#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/manifest/remote.h"

namespace cli {

using base::Result;

namespace {

class ManifestRemove final : public Command {
 public:
  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const ManifestStore store{cli};
    int status = 0;
    for (const auto& name : invocation.arguments) {
      const auto removed = [&]() -> Result<> { return store.remove(TRY(manifest_reference(name))); }();
      if (removed) continue;
      cli.err().line("{}", removed.error().message());
      status = 1;
    }
    return status;
  }
};

}  // namespace

std::unique_ptr<Command> make_manifest_rm() { return std::make_unique<ManifestRemove>(); }

}  // namespace cli
