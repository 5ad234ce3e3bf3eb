#include "cli/stream/container_session.h"

#include "cli/stream/exit_status.h"
#include "cli/stream/foreground.h"

namespace cli {

using base::Result;

namespace {

class ContainerProcess final : public ForegroundProcess {
 public:
  ContainerProcess(client::Client& client, std::string id) : containers_{client}, id_{std::move(id)} {}
  Result<> resize(unsigned rows, unsigned columns) override { return containers_.resize(id_, rows, columns); }
  Result<> signal(const std::string& name) override { return containers_.kill(id_, name); }

 private:
  client::Containers containers_;
  std::string id_;
};

}  // namespace

Result<int> run_session(Cli& cli, client::Client& client, const SessionOptions& options,
                        base::FunctionRef<Result<>()> start) {
  client::Containers containers{client};
  ContainerProcess process{client, options.id};
  const base::Time begun = base::now();
  const auto foreground = TRY(Foreground::begin(cli,
                                                {.tty = options.tty,
                                                 .input = options.in,
                                                 .proxy_signals = options.proxy_signals && !options.tty,
                                                 .detach_keys = options.detach_keys},
                                                process));
  client::AttachOptions attach{.in = options.in, .out = options.out, .err = options.err};
  attach.detach_keys = options.detach_keys.empty() ? cli.config().text("detachKeys") : options.detach_keys;
  auto connection = TRY(containers.attach(options.id, attach));
  auto pending = TRY(containers.wait(options.id, options.auto_remove ? "removed"
                                                 : options.running   ? ""
                                                                     : "next-exit"));
  TRY(start());
  foreground->send_size();
  const auto end = TRY(foreground->stream(std::move(connection)));
  if (end == Foreground::End::Detached) return 0;
  // The next daemon may find the container ended already: no further exit would come.
  auto response = foreground->wait(std::move(pending), [&]() -> Result<client::PendingWait> {
    return containers.wait(options.id, options.auto_remove ? "removed" : "");
  });
  if (response.failed_as(base::ErrorKind::NotFound)) response = exit_from_events(client, options.id, begun);
  const auto ended = TRY(std::move(response));
  if (ended.error) {
    cli.err().line("Error waiting for container: {}", ended.error->message);
    return 125;
  }
  return static_cast<int>(ended.status_code);
}

}  // namespace cli
