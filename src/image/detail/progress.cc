#include "image/detail/progress.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace image::detail {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
constexpr std::uint64_t kBarWidth = 50;

}  // namespace

std::string human_size(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 7> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000.0 && unit + 1 < kUnits.size()) {
    value /= 1000.0;
    ++unit;
  }
  return fmt::format("{:.4g}{}", value, kUnits.at(unit));
}

std::string progress_bar(std::uint64_t current, std::uint64_t total) {
  if (current == 0 && total == 0) return {};
  if (total == 0) return fmt::format("{:>8}", human_size(current));
  const std::uint64_t filled = std::min(kBarWidth, current * kBarWidth / total);
  const std::string numbers = current > total
                                  ? fmt::format("{:>8}", human_size(current))
                                  : fmt::format("{:>8}/{}", human_size(current), human_size(total));
  return fmt::format("[{:=>{}}>{:>{}}] {}", "", filled, "", kBarWidth - filled, numbers);
}

void Progress::send(const spec::api::ProgressMessage& message) {
  const std::scoped_lock lock{mutex_};
  sink_.message(message);
}

void Progress::status(std::string_view text, std::string_view id) {
  spec::api::ProgressMessage message;
  message.status = text;
  message.id = id;
  send(message);
}

void Progress::stream(std::string_view text) {
  spec::api::ProgressMessage message;
  message.stream = text;
  send(message);
}

void Progress::aux(codec::Json value) {
  spec::api::ProgressMessage message;
  message.progress_detail = spec::api::ProgressDetail{};
  message.aux = std::move(value);
  send(message);
}

void Progress::step(std::string_view id, std::string_view action) { step(id, action, 0, 0); }

void Progress::step(std::string_view id, std::string_view action, std::uint64_t current,
                    std::uint64_t total) {
  spec::api::ProgressMessage message;
  message.status = action;
  message.id = id;
  message.progress_detail =
      spec::api::ProgressDetail{static_cast<std::int64_t>(current), static_cast<std::int64_t>(total)};
  message.progress = progress_bar(current, total);
  send(message);
}

void Meter::advance_to(std::uint64_t current) {
  current_ = current;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kInterval) return;
  last_ = now;
  told_ = current;
  progress_.step(id_, action_, current_, total_);
}

void Meter::finish() {
  if (told_ != current_) progress_.step(id_, action_, current_, total_);
  told_ = current_;
}

}  // namespace image::detail
