#include "cli/commands/all.h"
#include "cli/manifest/remote.h"

namespace cli {

using base::Result;

namespace {

class ManifestCreate final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("amend", amend_);
    flags("insecure", insecure_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto list = TRY(manifest_reference(invocation.arguments[0]).context("error parsing name for manifest list " +
                                                                             invocation.arguments[0]));
    const ManifestStore store{cli};
    if (!amend_ && !TRY(store.list(list)).empty()) {
      return base::conflict("refusing to amend an existing manifest list with no --amend flag");
    }
    // All of them before the first is written: a name that is not there leaves no half list.
    std::vector<std::pair<spec::Reference, ListedManifest>> entries;
    for (std::size_t i = 1; i < invocation.arguments.size(); ++i) {
      const auto reference = TRY(manifest_reference(invocation.arguments[i]));
      if (auto known = TRY(store.get(list, reference))) {
        entries.emplace_back(reference, *std::move(known));
      } else {
        entries.emplace_back(reference, TRY(listed(reference, TRY(fetch_manifest(cli, reference, insecure_)))));
      }
    }
    for (const auto& [reference, entry] : entries) TRY(store.put(list, reference, entry));
    cli.out().line("Created manifest list {}", list_name(list));
    return 0;
  }

 private:
  bool amend_ = false, insecure_ = false;
};

}  // namespace

std::unique_ptr<Command> make_manifest_create() { return std::make_unique<ManifestCreate>(); }

}  // namespace cli
