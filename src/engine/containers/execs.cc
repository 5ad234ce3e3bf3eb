#include "base/id.h"
#include "base/log.h"
#include "base/strings.h"
#include "engine/containers/launch.h"
#include "engine/containers/streams.h"
#include "engine/containers/verbs.h"

namespace engine {
namespace {

using spec::api::StringList;

std::string command_of(const spec::api::ExecConfig& config) { return base::join(config.cmd, " "); }

base::Result<ExecRecord> find(const ContainerPtr& container, const std::string& id) {
  auto exec = container->exec(id);
  if (!exec) return base::not_found("No such exec instance: " + id);
  return *std::move(exec);
}

/// Marks it as started. Errors: Conflict when it was.
base::Result<ExecRecord> claim(Core& /*core*/, const ContainerPtr& container, const std::string& id) {
  const ExecRecord before = TRY(find(container, id));
  const auto record = container->record();
  TRY(advance(record->state, Step::Exec, record->id));
  bool claimed = false;
  container->update_exec(id, [&](ExecRecord& exec) {
    claimed = !exec.started;
    exec.started = true;
  });
  if (claimed) return before;
  return base::conflict("exec command " + id + (before.running ? " is already running" : " has already run"));
}

base::Result<> launch(Core& core, const ContainerPtr& container, const ExecRecord& exec,
                      std::optional<shim::Attachment> attachment, sys::UniqueFd connection) {
  const auto run = TRY(running(container));
  const auto record = container->record();
  const auto process = TRY(prepare_exec(core, *record, exec.config));
  // Without what may be secret: the shim needs none of it twice.
  spec::api::ExecConfig shown = exec.config;
  shown.env.reset();
  shim::Exec request{.id = exec.id, .process = codec::to_json(process),
                     .open_stdin = exec.config.attach_stdin, .attachment = std::move(attachment),
                     .note = codec::to_json(shown)};
  // Before the request, since its end may be reported before the reply is read.
  container->update_exec(exec.id, [](ExecRecord& now) { now.running = true; });
  publish(core, *record, "exec_start: " + command_of(exec.config), {{"execID", exec.id}});
  const auto started = run->client().exec(request, std::move(connection));
  if (!started) {
    const int code = shim::exit_code_of_failure(started.error());
    container->update_exec(exec.id, [&](ExecRecord& now) {
      now.running = false;
      now.exit_code = code;
    });
    const bool of_the_user = code == 126 || code == 127;
    return base::Error{started.error()}
        .context("OCI runtime exec failed: exec failed")
        .as(of_the_user ? base::ErrorKind::InvalidArgument : started.error().kind());
  }
  container->update_exec(exec.id, [&](ExecRecord& now) { now.pid = started->pid; });
  return {};
}

class ExecTicket final : public StreamTicket {
 public:
  ExecTicket(Core& core, ContainerPtr container, ExecRecord exec, shim::Attachment attachment)
      : core_{core}, container_{std::move(container)}, exec_{std::move(exec)}, attachment_{std::move(attachment)} {}

  [[nodiscard]] bool tty() const override { return !attachment_.multiplexed; }

  base::Result<> connect(sys::UniqueFd connection, std::string already_read) override {
    attachment_.already_read = base::base64(already_read);
    // The client has its answer already, so an error can only be told on the stream.
    sys::UniqueFd spare = TRY(sys::duplicate(connection.get()));
    auto started = launch(core_, container_, exec_, attachment_, std::move(connection));
    if (started) return started;
    const std::string text = started.error().message() + "\r\n";
    constexpr unsigned stdout_stream = 1;
    base::ignore(sys::set_nonblocking(spare.get(), false), "then the write fails and says so to nobody");
    base::ignore(sys::write_all(spare.get(), attachment_.multiplexed ? framed(stdout_stream, text) : text),
                 "the client has gone");
    return {};
  }

 private:
  Core& core_;
  ContainerPtr container_;
  ExecRecord exec_;
  shim::Attachment attachment_;
};

}  // namespace

base::Result<std::string> create_exec(Core& core, const ContainerPtr& container, const spec::api::ExecConfig& config) {
  if (config.cmd.empty()) return base::invalid("No exec command specified");
  const auto record = container->record();
  TRY(advance(record->state, Step::Exec, record->id));
  TRY(check_detach_keys(config.detach_keys));
  ExecRecord exec{.id = base::random_id(), .container = record->id, .config = config};
  const std::string id = exec.id;
  container->put_exec(std::move(exec));
  core.table.add_exec(id, record->id);
  publish(core, *record, "exec_create: " + command_of(config), {{"execID", id}});
  return id;
}

base::Result<spec::api::ExecInspect> inspect_exec(Core& /*core*/, const ContainerPtr& container, const std::string& id) {
  const ExecRecord exec = TRY(find(container, id));
  spec::api::ExecInspect answer;
  answer.id = exec.id;
  answer.container_id = exec.container;
  answer.running = exec.running;
  answer.exit_code = exec.exit_code;
  answer.pid = exec.pid;
  answer.process_config.tty = exec.config.tty;
  if (!exec.config.cmd.empty()) {  // it is, for one that a shim without notes runs
    answer.process_config.entrypoint = exec.config.cmd.front();
    answer.process_config.arguments = StringList{exec.config.cmd.begin() + 1, exec.config.cmd.end()};
  }
  answer.process_config.privileged = exec.config.privileged;
  answer.process_config.user = exec.config.user;
  answer.open_stdin = exec.config.attach_stdin;
  answer.open_stdout = exec.config.attach_stdout;
  answer.open_stderr = exec.config.attach_stderr;
  answer.detach_keys = exec.config.detach_keys;
  return answer;
}

base::Result<> start_exec_detached(Core& core, const ContainerPtr& container, const std::string& id) {
  const ExecRecord exec = TRY(claim(core, container, id));
  return launch(core, container, exec, std::nullopt, sys::UniqueFd{});
}

base::Result<std::unique_ptr<StreamTicket>> start_exec(Core& core, const ContainerPtr& container,
                                                       const std::string& id,
                                                       const spec::api::ExecStartRequest& request, bool multiplexed) {
  ExecRecord exec = TRY(claim(core, container, id));
  if (request.console_size) {
    exec.config.console_size = request.console_size;
    container->update_exec(id, [&](ExecRecord& now) { now.config.console_size = request.console_size; });
  }
  shim::Attachment attachment;
  attachment.in = exec.config.attach_stdin;
  attachment.out = exec.config.attach_stdout;
  attachment.err = exec.config.attach_stderr;
  // As the start says, not the exec: a client that does not know of the terminal counts on frames.
  attachment.multiplexed = multiplexed && !request.tty;
  attachment.detach_keys = TRY(check_detach_keys(exec.config.detach_keys));
  return std::unique_ptr<StreamTicket>{
      new ExecTicket{core, container, std::move(exec), std::move(attachment)}};
}

base::Result<> resize_exec(Core& /*core*/, const ContainerPtr& container, const std::string& id, unsigned rows,
                           unsigned columns) {
  const ExecRecord exec = TRY(find(container, id));
  if (!exec.running) return base::invalid("exec process is not started");
  const auto run = TRY(running(container));
  return run->client().resize(
      {.exec = id, .rows = static_cast<std::uint16_t>(rows), .columns = static_cast<std::uint16_t>(columns)});
}

void record_exec_exit(Core& core, Container& container, const std::string& id, const shim::Exit& exit) {
  const bool known = container.update_exec(id, [&](ExecRecord& exec) {
    exec.running = false;
    exec.started = true;
    exec.exit_code = exit.code;
  });
  if (!known) return;
  publish(core, *container.record(), "exec_die", {{"execID", id}, {"exitCode", std::to_string(exit.code)}});
}

}  // namespace engine
