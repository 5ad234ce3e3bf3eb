#pragma once
/// The program's standard output and error. Unbuffered: a line is one write(2), so that output mixes
/// with a container's as it happens. A reader that is gone ends the program by SIGPIPE, as usual.

#include <string_view>

#include <fmt/format.h>

namespace cli {

class Output {
 public:
  explicit Output(int fd) : fd_{fd} {}

  void write(std::string_view text);
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...) + '\n');
  }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_terminal() const;
  /// COLUMNS, or the terminal's own width; 0 when it is no terminal.
  [[nodiscard]] std::size_t columns() const;
  /// A write failed: what follows is lost, and the exit status tells.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  int fd_;
  bool failed_ = false;
};

}  // namespace cli
