/// `checkpoint create`, `ls` and `rm`: what a container was at one moment, to be started from again.
#include <array>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/format/listing.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

std::string path_of(const std::string& container) {
  return "/containers/" + http::encode_segment(container) + "/checkpoints";
}

class CheckpointCreate final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("checkpoint-dir", directory_);
    flags("leave-running", leave_running_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& name = invocation.arguments[1];
    client::Client& client = *TRY(cli.client());
    TRY(client.done({.method = "POST",
                     .path = path_of(invocation.arguments[0]),
                     .body = Json::object({{"CheckpointID", name},
                                           {"CheckpointDir", directory_},
                                           {"Exit", !leave_running_}})}));
    cli.out().line("{}", name);
    return 0;
  }

 private:
  std::string directory_;
  bool leave_running_ = false;
};

struct Line {
  std::string name;
};
constexpr std::array kColumns{
    Column<Line>{"Name", "CHECKPOINT NAME", [](const Line& l) { return l.name; }},
};
constexpr ListingStyle kStyle{
    .table = "{{.Name}}", .raw = "", .quiet = "{{.Name}}", .type = "*checkpoint.checkpointContext"};

class CheckpointLs final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("checkpoint-dir", directory_); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::ApiCall call{.path = path_of(invocation.arguments[0])};
    if (!directory_.empty()) call.query.add("dir", directory_);
    const Json answer = TRY(TRY(cli.client())->json(call));
    std::vector<Line> lines;
    for (const auto& checkpoint : answer.as_array()) lines.push_back({checkpoint["Name"].as_string()});
    TRY(print_items<Line>(cli.out(), resolve_format("table", kStyle, false), kStyle, kColumns, lines));
    return 0;
  }

 private:
  std::string directory_;
};

class CheckpointRm final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("checkpoint-dir", directory_); }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    client::ApiCall call{.method = "DELETE",
                         .path = path_of(invocation.arguments[0]) + "/" +
                                 http::encode_segment(invocation.arguments[1])};
    if (!directory_.empty()) call.query.add("dir", directory_);
    TRY(TRY(cli.client())->done(call));
    return 0;
  }

 private:
  std::string directory_;
};

}  // namespace

std::unique_ptr<Command> make_checkpoint_create() { return std::make_unique<CheckpointCreate>(); }
std::unique_ptr<Command> make_checkpoint_ls() { return std::make_unique<CheckpointLs>(); }
std::unique_ptr<Command> make_checkpoint_rm() { return std::make_unique<CheckpointRm>(); }

}  // namespace cli
