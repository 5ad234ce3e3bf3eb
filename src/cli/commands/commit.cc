#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/progress/meter.h"
#include "client/container_files.h"
#include "spec/reference.h"

namespace cli {

using base::Result;

namespace {

class Commit final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("author", options_.author);
    flags("change", options_.changes);
    flags("message", options_.comment);
    flags("no-pause", no_pause_);
    flags("pause", pause_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    options_.pause = pause_ && !no_pause_;
    if (invocation.arguments.size() > 1 && !invocation.arguments[1].empty()) {
      const auto name = TRY(spec::Reference::parse(invocation.arguments[1]));
      if (!name.digest().empty()) return base::invalid("refusing to create a tag with a digest reference");
      options_.repository = name.name();
      options_.tag = name.with_default_tag().tag();
    }
    client::ContainerFiles files{*TRY(cli.client())};
    const std::string id = TRY([&] {
      const Waiting waiting{cli.err(), "Committing " + invocation.arguments[0]};
      return files.commit(invocation.arguments[0], options_);
    }());
    cli.out().line("{}", id);
    return 0;
  }

 private:
  client::ContainerFiles::CommitOptions options_;
  bool pause_ = true, no_pause_ = false;
};

}  // namespace

std::unique_ptr<Command> make_commit() { return std::make_unique<Commit>(); }

}  // namespace cli
