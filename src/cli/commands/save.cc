#include <fmt/format.h>

#include "base/id.h"
#include "base/scope_guard.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/container/environment.h"
#include "client/images.h"
#include "sys/fd_stream.h"
#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

class Save final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("output", output_);
    flags("platform", flags::comma_list(platforms_));
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    if (output_.empty() && cli.out().is_terminal()) {
      return base::invalid("cowardly refusing to save to a terminal. Use the -o flag or redirect");
    }
    TRY(check_output());
    client::Client& client = *TRY(cli.client());
    auto archive = TRY(client::Images{client}.save(invocation.arguments));
    if (output_.empty()) {
      sys::FdSink sink{TRY(sys::duplicate(cli.out().fd()))};
      TRY(base::copy(*archive, sink));
      return 0;
    }
    TRY(write_file(*archive));
    return 0;
  }

 private:
  [[nodiscard]] std::string directory() const {
    const auto slash = output_.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : output_.substr(0, slash);
  }

  /// Before the daemon is asked for what may be much.
  [[nodiscard]] Result<> check_output() const {
    if (output_.empty()) return {};
    const auto parent = sys::stat_at(sys::kCwd, directory() + "/.");
    if (!parent) {
      return open_failure(directory(), parent.error(), "stat")
          .context("failed to save image: invalid output path");
    }
    if (const auto there = sys::stat_at(sys::kCwd, output_); there && S_ISDIR(there->st_mode)) {
      return base::invalid("failed to save image: cannot write to a directory");
    }
    return {};
  }

  /// Beside the target and renamed when it is whole, so that no half archive is left.
  Result<> write_file(http::Reply& archive) const {
    const auto there = sys::stat_at(sys::kCwd, output_);
    if (there && !S_ISREG(there->st_mode)) {
      // A device or a pipe can't be replaced.
      auto target = sys::open_at(sys::kCwd, output_, O_WRONLY);
      if (!target) return open_failure(output_, target.error());
      sys::FdSink sink{std::move(*target)};
      TRY(base::copy(archive, sink));
      return {};
    }
    const std::string temporary = fmt::format("{}/.caisson-save-{}", directory(), base::random_hex(12));
    auto file = sys::open_at(sys::kCwd, temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!file) return open_failure(temporary, file.error());
    base::ScopeGuard undo{
        [&] { base::ignore(sys::unlink_at(sys::kCwd, temporary), "the failure is reported"); }};
    sys::FdSink sink{std::move(*file)};
    TRY(base::copy(archive, sink));
    TRY(sys::rename_at(sys::kCwd, temporary, sys::kCwd, output_));
    undo.release();
    return {};
  }

  std::string output_;
  std::vector<std::string> platforms_;
};

}  // namespace

std::unique_ptr<Command> make_save() { return std::make_unique<Save>(); }

}  // namespace cli
