#include "cli/progress/display.h"

#include <algorithm>

#include <fmt/format.h>

#include "flags/units.h"

namespace cli {

using base::Result;

std::string progress_bar(const spec::api::ProgressDetail& detail, std::size_t columns) {
  constexpr int kBarWidth = 50;
  constexpr std::size_t kColumnsForBar = 110;
  const auto human = [](std::int64_t bytes) { return flags::human_size(static_cast<double>(bytes)); };
  if (detail.current <= 0 && detail.total <= 0) return {};
  if (detail.total <= 0) return fmt::format("{:>8}", human(detail.current));
  const double share = static_cast<double>(detail.current) / static_cast<double>(detail.total);
  const int done = std::clamp(static_cast<int>(share * 100) / 2, 0, kBarWidth);
  std::string out;
  if (columns > kColumnsForBar) {
    out = fmt::format("[{}>{}] ", std::string(static_cast<std::size_t>(done), '='),
                      std::string(static_cast<std::size_t>(kBarWidth - done), ' '));
  }
  out += fmt::format("{:>8}", human(detail.current));
  // More than the whole: then the whole is not known after all.
  if (detail.current <= detail.total) out += "/" + human(detail.total);
  return out;
}

Result<> ProgressDisplay::show(const spec::api::ProgressMessage& message) {
  if (!message.error.empty() || message.error_detail) {
    const auto& text = message.error_detail ? message.error_detail->message : message.error;
    if (message.error_detail && message.error_detail->code == 401) {
      return base::Error{base::ErrorKind::Unauthorized, "authentication is required"};
    }
    return base::internal(text.empty() ? message.error : text);
  }
  if (!message.aux.is_null()) return {};
  std::size_t up = 0;
  if (!message.id.empty() && (message.progress_detail || !message.progress.empty())) {
    const auto [at, is_new] = lines_.try_emplace(message.id, lines_.size());
    if (is_new && terminal_) out_.write("\n");
    up = lines_.size() - at->second;
    if (terminal_) out_.print("\x1b[{}A", up);
  } else {
    // Output in between: the lines above can't be reached any more.
    lines_.clear();
  }
  print(message);
  if (terminal_ && up > 0) out_.print("\x1b[{}B", up);
  return {};
}

void ProgressDisplay::print(const spec::api::ProgressMessage& message) {
  std::string text;
  const bool in_place = terminal_ && message.stream.empty() && message.progress_detail;
  const std::string bar = message.progress_detail ? progress_bar(*message.progress_detail, columns_) : "";
  if (in_place) {
    text = "\x1b[2K\r";
  } else if (!bar.empty()) {
    return;  // no bars in a file
  }
  if (!message.id.empty()) text += message.id + ": ";
  if (in_place) {
    text += fmt::format("{} {}\r", message.status, bar);
  } else if (!message.progress.empty()) {
    text += fmt::format("{} {}", message.status, message.progress);
  } else if (!message.stream.empty()) {
    text += message.stream;
  } else {
    text += message.status + "\n";
  }
  out_.write(text);
}

Result<> show_progress(Output& out, client::ProgressStream& stream) {
  ProgressDisplay display{out};
  while (const auto message = TRY(stream.next())) TRY(display.show(*message));
  return {};
}

Result<> wait_for_end(client::ProgressStream& stream) {
  while (const auto message = TRY(stream.next())) {
    if (!message->error.empty()) return base::internal(message->error);
  }
  return {};
}

}  // namespace cli
