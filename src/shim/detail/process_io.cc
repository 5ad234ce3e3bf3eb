#include "shim/detail/process_io.h"

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/strings.h"
#include "sys/file.h"
#include "sys/pty.h"

namespace shim::detail {
namespace {

using base::Result;
using logs::Stream;

constexpr std::size_t kInputRoom = 64 * 1024;
/// Per turn of the loop, so that one stream does not starve the others.
constexpr std::size_t kTurn = std::size_t{1} << 20U;
/// A pipe that was found full gets this much instead of 64 KiB: fewer, larger reads. Not from the
/// start: the kernel's quota of pipe pages per user allows for some 60 such pipes only.
constexpr std::size_t kLargePipe = std::size_t{1} << 20U;
constexpr std::size_t kUsualPipe = 64 * 1024;

}  // namespace

std::span<char> ReadBuffer::get() {
  if (!memory_) memory_.reset(new char[kSize]);
  return {memory_.get(), kSize};
}

ProcessIo::ProcessIo(EventLoop& loop, ReadBuffer& buffer, Listener& listener, Settings settings)
    : loop_{loop}, buffer_{buffer}, listener_{listener}, settings_{std::move(settings)} {}

ProcessIo::~ProcessIo() {
  clients_.clear();
  if (input_watched_) loop_.remove(input_.get());
  for (auto& output : outputs_) {
    if (output.watched) loop_.remove(output.fd.get());
  }
}

Result<ProcessIo::Ends> ProcessIo::make_pipes() {
  Ends ends;
  if (settings_.open_stdin) {
    auto pipe = TRY(sys::make_pipe());
    TRY(sys::set_nonblocking(pipe.write.get(), true));
    ends.in = std::move(pipe.read);
    input_ = std::move(pipe.write);
    input_open_ = true;
  } else {
    ends.in = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDONLY));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    auto pipe = TRY(sys::make_pipe());
    TRY(sys::set_nonblocking(pipe.read.get(), true));
    outputs_[i] = {std::move(pipe.read), i == 0 ? Stream::Stdout : Stream::Stderr, true};
    (i == 0 ? ends.out : ends.err) = std::move(pipe.write);
    watch(outputs_[i]);
  }
  return ends;
}

Result<> ProcessIo::set_terminal(sys::UniqueFd master) {
  TRY(sys::set_nonblocking(master.get(), true));
  outputs_[0] = {std::move(master), Stream::Stdout, true};
  input_open_ = settings_.open_stdin;
  watch(outputs_[0]);
  flush_input();
  return {};
}

Result<> ProcessIo::attach(sys::UniqueFd connection, const Attachment& attachment, const logs::Config* log) {
  AttachedClient::Settings settings{attachment, settings_.tty, settings_.spill_dir, nullptr};
  settings.options.in = attachment.in && attachment.stream && settings_.open_stdin;
  if (attachment.logs && log != nullptr) {
    logs::ReadOptions wanted;
    wanted.out = attachment.out;
    wanted.err = attachment.err;
    settings.replay = TRY(logs::Reader::open(*log, wanted));
  }
  const auto already_read = base::base64_decode(attachment.already_read);
  if (!already_read) return base::invalid("attach: already_read is no base64");
  auto client = TRY(AttachedClient::open(loop_, *this, std::move(connection), std::move(settings)));
  if (attachment.logs && log_ != nullptr) {
    // Lines without their newline are not in the file yet.
    for (const Stream stream : {Stream::Stdout, Stream::Stderr}) client->push(stream, log_->unfinished(stream));
  }
  clients_.push_back(std::move(client));
  AttachedClient& joined = *clients_.back();
  if (settings_.open_stdin && attachment.in && !already_read->empty()) joined.take(*already_read);
  joined.resume_input();
  if (attachment.logs) joined.start_replay();
  return {};
}

Result<> ProcessIo::resize(std::uint16_t rows, std::uint16_t columns) {
  // As docker: nothing to resize is no error.
  if (!settings_.tty || !outputs_[0].fd) return {};
  return sys::set_window_size(outputs_[0].fd.get(), {rows, columns});
}

int ProcessIo::input_fd() const { return settings_.tty ? outputs_[0].fd.get() : input_.get(); }

std::size_t ProcessIo::input_room() const {
  if (!input_open_ || close_when_written_) return kInputRoom;  // is thrown away
  return kInputRoom - std::min(kInputRoom, input_buffer_.size());
}

void ProcessIo::take_input(std::string_view bytes) {
  if (!input_open_ || close_when_written_ || bytes.empty()) return;
  input_buffer_.append(bytes);
  flush_input();
}

bool ProcessIo::end_input() {
  if (settings_.tty || !settings_.ends_with_client) return false;
  close_stdin();
  return true;
}

void ProcessIo::on_detach() { listener_.on_detached(*this); }

void ProcessIo::close_stdin() {
  if (settings_.tty || !input_open_) return;
  close_when_written_ = true;
  if (input_buffer_.empty()) shut_input();
}

void ProcessIo::flush_input() {
  const int fd = input_fd();
  while (input_open_ && fd >= 0 && !input_buffer_.empty()) {
    const auto count = sys::write_some(fd, input_buffer_);
    if (!count) {
      if (count.error().errno_value() == EAGAIN) break;
      return shut_input();  // the process has closed it
    }
    input_buffer_.erase(0, *count);
  }
  if (input_buffer_.empty() && close_when_written_) return shut_input();
  watch_input();
}

void ProcessIo::shut_input() {
  input_open_ = false;
  input_buffer_ = {};
  if (input_watched_) loop_.remove(input_.get());
  input_watched_ = false;
  input_.reset();
  for (auto& client : clients_) client->resume_input();
}

void ProcessIo::watch_input() {
  if (settings_.tty) return watch(outputs_[0]);
  const bool wanted = input_open_ && !input_buffer_.empty();
  if (wanted == input_watched_ || !input_) return;
  // Registered only while there is something to write: a closed pipe would be "ready" for ever.
  if (!wanted) {
    loop_.remove(input_.get());
  } else if (!loop_.add(input_.get(), EPOLLOUT, *this)) {
    return shut_input();
  }
  input_watched_ = wanted;
}

void ProcessIo::watch(Output& output) {
  const bool wanted = output.open && !stuck_;
  const bool writes = settings_.tty && input_open_ && !input_buffer_.empty();
  const std::uint32_t events = EPOLLIN | (writes ? EPOLLOUT : 0U);
  if (!wanted) {
    if (output.watched) loop_.remove(output.fd.get());
  } else if (output.watched) {
    loop_.modify(output.fd.get(), events);
  } else if (const auto added = loop_.add(output.fd.get(), events, *this); !added) {
    base::log::error("watch the output: {}", added.error().message());
    output.open = false;
    return;
  }
  output.watched = wanted;
}

void ProcessIo::deliver(Stream stream, std::string_view bytes) {
  if (log_ != nullptr) {
    if (const auto logged = log_->write(stream, bytes, base::now()); !logged && log_->pending() > 0) {
      if (!stuck_) base::log::error("the log can't be written, the container waits: {}", logged.error().message());
      stuck_ = log_->blocking();
    }
  }
  for (auto& client : clients_) client->push(stream, bytes);
}

void ProcessIo::read_output(Output& output) {
  std::size_t total = 0;
  while (output.open && !stuck_ && total < kTurn) {
    const auto buffer = buffer_.get();
    const auto count = sys::read_some(output.fd.get(), buffer);
    if (!count) {
      if (count.error().errno_value() == EAGAIN) break;
      return end_output(output);  // EIO: the terminal's last user is gone
    }
    if (*count == 0) return end_output(output);
    deliver(output.stream, {buffer.data(), *count});
    total += *count;
    if (*count == kUsualPipe && !output.large && !settings_.tty) {
      output.large = true;
      base::ignore(sys::set_pipe_size(output.fd.get(), kLargePipe), "past the quota it goes on as it is");
    }
    // A read that did not fill what it could means that the pipe is empty now.
    if (*count < 4096) break;
  }
  if (stuck_) {
    for (auto& other : outputs_) watch(other);
  }
}

void ProcessIo::end_output(Output& output) {
  output.open = false;
  watch(output);
  // The terminal's master stays open: closing it would hang up on processes that stay.
  if (!settings_.tty) output.fd.reset();
  if (log_ != nullptr) base::ignore(log_->end(output.stream), "retry_log() tries again what is pending");
}

void ProcessIo::drain() {
  for (auto& output : outputs_) read_output(output);
}

bool ProcessIo::ended() const {
  return std::ranges::none_of(outputs_, &Output::open) && !(log_ != nullptr && log_->pending() > 0);
}

void ProcessIo::close_output() {
  for (auto& output : outputs_) {
    if (output.open) end_output(output);
  }
  shut_input();
}

void ProcessIo::finish_clients() {
  for (auto& client : clients_) client->finish();
}

void ProcessIo::retry_log() {
  if (log_ == nullptr) return;
  if (!log_->write(Stream::Stdout, {}, base::now())) return;
  stuck_ = false;
  for (auto& output : outputs_) watch(output);
}

void ProcessIo::sweep(Clock::time_point now) {
  for (auto& client : clients_) {
    if (client->deadline() && *client->deadline() <= now) client->drop();
  }
  std::erase_if(clients_, [](const auto& client) { return client->gone(); });
}

std::optional<Clock::time_point> ProcessIo::deadline() const {
  std::optional<Clock::time_point> earliest;
  for (const auto& client : clients_) {
    const auto deadline = client->deadline();
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  }
  return earliest;
}

void ProcessIo::on_ready(int fd, std::uint32_t events) {
  for (auto& output : outputs_) {
    if (output.fd.get() == fd && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_output(output);
  }
  if (fd != input_fd() || (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
  flush_input();
  if (input_room() == 0) return;
  for (auto& client : clients_) client->resume_input();
}

}  // namespace shim::detail
