#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/format/tabbed_json.h"
#include "cli/manifest/remote.h"

namespace cli {

using base::Result;

namespace {

class ManifestInspect final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("insecure", insecure_);
    flags("verbose", verbose_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& arguments = invocation.arguments;
    const ManifestStore store{cli};
    const auto first = TRY(manifest_reference(arguments[0]));
    if (arguments.size() == 2) {
      const auto reference = TRY(manifest_reference(arguments[1]));
      const auto entry = TRY(store.get(first, reference));
      if (!entry) return base::not_found("No such manifest: " + list_name(reference));
      show(cli, *entry);
      return 0;
    }
    if (const auto entries = TRY(store.list(first)); !entries.empty()) {
      if (verbose_) {
        cli.out().line("{}", tabbed_json(codec::to_json(entries)));
      } else {
        cli.out().line("{}", TRY(make_index(entries)).bytes);
      }
      return 0;
    }
    return show_remote(cli, first);
  }

 private:
  void show(Cli& cli, const ListedManifest& entry) const {
    cli.out().line("{}", tabbed_json(verbose_ ? codec::to_json(entry) : entry.manifest()));
  }

  Result<int> show_remote(Cli& cli, const spec::Reference& reference) const {
    const auto remote = TRY(fetch_manifest(cli, reference, insecure_));
    if (!spec::media::is_index(remote.descriptor.media_type)) {
      show(cli, TRY(listed(reference, remote)));
      return 0;
    }
    const auto bytes = base::base64_decode(remote.raw);
    if (!bytes) return base::internal("the daemon sent a malformed manifest of " + list_name(reference));
    if (!verbose_) {
      // As it is: who wants its digest can compute it from this.
      cli.out().line("{}", *bytes);
      return 0;
    }
    std::vector<ListedManifest> entries;
    for (const auto& descriptor : TRY(spec::Index::parse(*bytes)).manifests) {
      const auto child = reference.with_digest(descriptor.digest());
      auto entry = TRY(listed(child, TRY(fetch_manifest(cli, child, insecure_))));
      entry.ref = reference.str() + "@" + descriptor.digest_text;
      // What the list says, which need not be what the image's config says.
      entry.descriptor.platform = descriptor.platform;
      entries.push_back(std::move(entry));
    }
    cli.out().line("{}", tabbed_json(codec::to_json(entries)));
    return 0;
  }

  bool insecure_ = false, verbose_ = false;
};

}  // namespace

std::unique_ptr<Command> make_manifest_inspect() { return std::make_unique<ManifestInspect>(); }

}  // namespace cli
