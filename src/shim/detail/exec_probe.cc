/// A probe that is a process in the container.
#include <csignal>

#include "shim/detail/health_record.h"
#include "shim/detail/probe.h"
#include "sys/file.h"

namespace shim::detail {

using base::Result;

std::string Probe::output() const { return cut_ ? output_ + "..." : output_; }

void Probe::print(std::string_view bytes) {
  const std::size_t room = health::kOutputLimit - output_.size();
  output_.append(bytes.substr(0, room));
  cut_ = cut_ || bytes.size() > room;
}

namespace {

class ExecProbe final : public Probe, public Handler {
 public:
  ExecProbe(pid_t pid, sys::UniqueFd output, EventLoop& loop) : pid_{pid}, pipe_{std::move(output)}, loop_{loop} {}
  ExecProbe(const ExecProbe&) = delete;
  ExecProbe& operator=(const ExecProbe&) = delete;
  ~ExecProbe() override { close(); }

  Result<> watch() { return loop_.add(pipe_.get(), EPOLLIN, *this); }

  void on_ready(int /*fd*/, std::uint32_t /*events*/) override { drain(); }

  void cancel() override {
    drain();
    if (reaped_) return;
    if (const auto process = sys::Process::open(pid_)) {
      base::ignore(process->signal(SIGKILL), "it may just have ended");
    }
  }

  [[nodiscard]] bool gone() const override { return reaped_; }

  bool reaped(pid_t pid, const sys::ExitStatus& status) override {
    if (pid != pid_ || reaped_) return false;
    reaped_ = true;
    drain();
    // What it leaves behind may hold the pipe for as long as it likes.
    close();
    decide(status.shell_code());
    return true;
  }

 private:
  void drain() {
    std::array<char, 4096> buffer;  // NOLINT: filled before it is read
    // Bounded, so that one that prints without end does not keep the loop.
    for (int turn = 0; pipe_ && turn < 64; ++turn) {
      const auto count = sys::read_some(pipe_.get(), buffer);
      if (!count && count.error().errno_value() == EAGAIN) return;
      if (!count || *count == 0) return close();
      print({buffer.data(), *count});
    }
  }
  void close() {
    if (!pipe_) return;
    loop_.remove(pipe_.get());
    pipe_.reset();
  }

  const pid_t pid_;
  sys::UniqueFd pipe_;
  EventLoop& loop_;
  bool reaped_ = false;
};

}  // namespace

Result<std::unique_ptr<Probe>> start_exec_probe(const HealthCheck& check, const std::string& id, OciRuntime& runtime,
                                                EventLoop& loop) {
  auto pipe = TRY(sys::make_pipe());
  TRY(sys::set_nonblocking(pipe.read.get(), true));
  Streams streams;
  streams.in = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDONLY));
  streams.err = TRY(sys::duplicate(pipe.write.get()));
  streams.out = std::move(pipe.write);
  const auto process = TRY(codec::Json::parse(check.process).context("the health check's process"));
  const NewProcess made = TRY(runtime.exec(id, process, std::move(streams)));
  auto probe = std::make_unique<ExecProbe>(made.pid, std::move(pipe.read), loop);
  TRY(probe->watch());
  return std::unique_ptr<Probe>{std::move(probe)};
}

}  // namespace shim::detail
