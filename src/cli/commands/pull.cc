#include "cli/pull.h"

#include "cli/commands/all.h"

namespace cli {

using base::Result;

namespace {

class Pull final : public Command {
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
    client::Client& client = *TRY(cli.client());
    TRY(pull_image(cli, client, {reference, platform_, quiet_}, cli.out()));
    cli.out().line("{}", reference.str());
    return 0;
  }

 private:
  bool all_tags_ = false, quiet_ = false, content_trust_ = true;
  std::string platform_;
};

}  // namespace

std::unique_ptr<Command> make_pull() { return std::make_unique<Pull>(); }

}  // namespace cli
