#include "sys/pty.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/file.h"

namespace sys {

using base::Error;
using base::Result;

Result<Pty> open_pty(UniqueFd ptmx) {
  const struct ::stat status = TRY(stat_fd(ptmx.get()));
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2)) {
    return base::invalid("the pty multiplexer is not the device 5:2");
  }
  int unlocked = 0;
  if (::ioctl(ptmx.get(), TIOCSPTLCK, &unlocked) < 0) return Error::from_errno(errno, "unlock a pty");
  const int slave = ::ioctl(ptmx.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return Error::from_errno(errno, "open a pty's slave");
  return Pty{std::move(ptmx), UniqueFd{slave}};
}

Result<Pty> open_pty() {
  UniqueFd ptmx = TRY(open_at(kCwd, "/dev/ptmx", O_RDWR | O_NOCTTY));
  return open_pty(std::move(ptmx));
}

Result<> set_window_size(int terminal, WindowSize size) {
  struct ::winsize request {};
  request.ws_row = size.rows;
  request.ws_col = size.columns;
  if (::ioctl(terminal, TIOCSWINSZ, &request) < 0) return Error::from_errno(errno, "set the window size");
  return {};
}

Result<WindowSize> window_size(int terminal) {
  struct ::winsize answer {};
  if (::ioctl(terminal, TIOCGWINSZ, &answer) < 0) return Error::from_errno(errno, "get the window size");
  return WindowSize{answer.ws_row, answer.ws_col};
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

Result<> take_terminal(int slave) {
  if (::setsid() < 0) return Error::from_errno(errno, "setsid");
  if (::ioctl(slave, TIOCSCTTY, 0) < 0) return Error::from_errno(errno, "take the terminal");
  return {};
}

Result<> pass_newlines(int terminal) {
  ::termios mode{};
  if (::tcgetattr(terminal, &mode) < 0) return Error::from_errno(errno, "read the terminal's mode");
  mode.c_oflag &= ~static_cast<::tcflag_t>(ONLCR);
  if (::tcsetattr(terminal, TCSANOW, &mode) < 0) return Error::from_errno(errno, "set the terminal's mode");
  return {};
}

Result<RawMode> RawMode::enter(int terminal, Output output) {
  ::termios before{};
  if (::tcgetattr(terminal, &before) < 0) return Error::from_errno(errno, "read the terminal's mode");
  ::termios raw = before;
  ::cfmakeraw(&raw);
  if (output == Output::AsBefore) raw.c_oflag = before.c_oflag;
  if (::tcsetattr(terminal, TCSANOW, &raw) < 0) return Error::from_errno(errno, "set the terminal's mode");
  return RawMode{terminal, before};
}

RawMode::RawMode(RawMode&& other) noexcept
    : terminal_{std::exchange(other.terminal_, -1)}, before_{other.before_} {}

void RawMode::restore() {
  if (terminal_ >= 0) ::tcsetattr(terminal_, TCSANOW, &before_);
  terminal_ = -1;
}

Result<HiddenInput> HiddenInput::enter(int terminal) {
  ::termios before{};
  if (::tcgetattr(terminal, &before) < 0) return Error::from_errno(errno, "read the terminal's mode");
  ::termios hidden = before;
  hidden.c_lflag &= ~static_cast<::tcflag_t>(ECHO);
  if (::tcsetattr(terminal, TCSAFLUSH, &hidden) < 0) return Error::from_errno(errno, "set the terminal's mode");
  return HiddenInput{terminal, before};
}

HiddenInput::HiddenInput(HiddenInput&& other) noexcept
    : terminal_{std::exchange(other.terminal_, -1)}, before_{other.before_} {}

HiddenInput::~HiddenInput() {
  if (terminal_ >= 0) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
}

}  // namespace sys
