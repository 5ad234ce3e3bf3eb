#include "cli/commands/all.h"
#include "cli/progress/display.h"
#include "cli/pull.h"

namespace cli {

using base::Result;

namespace {

class Push final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("all-tags", all_tags_);
    flags("platform", platform_);
    flags("quiet", quiet_);
    flags("disable-content-trust", content_trust_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    auto reference = TRY(spec::Reference::parse(invocation.arguments[0]));
    if (all_tags_ && !reference.is_name_only()) return base::invalid("tag can't be used with --all-tags/-a");
    if (!all_tags_ && reference.is_name_only()) {
      reference = reference.with_default_tag();
      if (!quiet_) cli.out().line("Using default tag: {}", reference.tag());
    }
    client::PushOptions options{
        .reference = reference.name(), .tag = reference.tag(), .platform = platform_, .auth = {}};
    options.auth = TRY(registry_auth(cli, reference));
    client::Client& client = *TRY(cli.client());
    auto stream = TRY(client::Images{client}.push(options));
    if (!quiet_) {
      TRY(show_progress(cli.out(), stream));
      return 0;
    }
    TRY(wait_for_end(stream));
    cli.out().line("{}", reference.str());
    return 0;
  }

 private:
  bool all_tags_ = false, quiet_ = false, content_trust_ = true;
  std::string platform_;
};

}  // namespace

std::unique_ptr<Command> make_push() { return std::make_unique<Push>(); }

}  // namespace cli
