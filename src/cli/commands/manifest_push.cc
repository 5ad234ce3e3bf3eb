#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/manifest/remote.h"
#include "cli/pull.h"
#include "client/registries.h"

namespace cli {

using base::Result;

namespace {

class ManifestPush final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("insecure", insecure_);
    flags("purge", purge_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto list = TRY(manifest_reference(invocation.arguments[0]));
    const ManifestStore store{cli};
    const auto entries = TRY(store.list(list));
    if (entries.empty()) return base::not_found("No such manifest: " + list_name(list));
    const auto index = TRY(make_index(entries));
    spec::api::IndexPush push{.media_type = index.media_type, .raw = base::base64(index.bytes), .sources = {}};
    for (const auto& entry : entries) {
      const auto source = TRY(spec::Reference::parse(entry.ref));
      push.sources.push_back(source.with_digest(entry.descriptor.digest()).str());
    }
    const auto auth = TRY(registry_auth(cli, list));
    client::Client& client = *TRY(cli.client());
    const auto pushed = TRY(client::Registries{client}.push_index(list.str(), insecure_, push, auth));
    for (const auto& source : pushed.copied) {
      const auto digest = TRY(spec::Reference::parse(source)).digest();
      cli.out().line("Pushed ref {} with digest: {}", list.with_digest(digest).str(), digest.str());
    }
    if (purge_) TRY(store.remove(list));
    cli.out().line("{}", pushed.digest);
    return 0;
  }

 private:
  bool insecure_ = false, purge_ = false;
};

}  // namespace

std::unique_ptr<Command> make_manifest_push() { return std::make_unique<ManifestPush>(); }

}  // namespace cli
