#pragma once
/// Pseudo-terminals and terminal modes. Sources: pty(7), ioctl_tty(2), termios(3).

#include <cstdint>

#include <termios.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

struct WindowSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
};

struct Pty {
  UniqueFd master;
  UniqueFd slave;
};

/// A pair from the multiplexer `ptmx`, an open descriptor of the devpts instance that it shall belong
/// to. The slave comes from the master (TIOCGPTPEER), not by a path that somebody could replace.
/// Errors: InvalidArgument when `ptmx` is no pty multiplexer.
base::Result<Pty> open_pty(UniqueFd ptmx);
/// A pair of this process's own /dev/ptmx.
base::Result<Pty> open_pty();

base::Result<> set_window_size(int terminal, WindowSize size);
base::Result<WindowSize> window_size(int terminal);
[[nodiscard]] bool is_terminal(int fd);

/// Makes the terminal the controlling one of a new session of the caller.
base::Result<> take_terminal(int slave);

/// Stops the terminal from writing "\r\n" for "\n" (ONLCR).
base::Result<> pass_newlines(int terminal);

/// Raw mode as cfmakeraw(3) sets it, until the guard goes or `restore` is called.
class RawMode {
 public:
  /// What is written may still get its "\r\n" from this terminal.
  enum class Output : std::uint8_t { Raw, AsBefore };
  static base::Result<RawMode> enter(int terminal, Output output = Output::Raw);
  RawMode(RawMode&& other) noexcept;
  RawMode& operator=(RawMode&&) = delete;
  ~RawMode() { restore(); }
  void restore();

 private:
  RawMode(int terminal, const ::termios& before) : terminal_{terminal}, before_{before} {}
  int terminal_;
  ::termios before_;
};

/// What is typed does not show (for a password), until the guard goes.
class HiddenInput {
 public:
  static base::Result<HiddenInput> enter(int terminal);
  HiddenInput(HiddenInput&& other) noexcept;
  HiddenInput& operator=(HiddenInput&&) = delete;
  ~HiddenInput();

 private:
  HiddenInput(int terminal, const ::termios& before) : terminal_{terminal}, before_{before} {}
  int terminal_;
  ::termios before_;
};

}  // namespace sys
