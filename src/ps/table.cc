#include "ps/table.h"

#include <algorithm>

#include <fmt/format.h>

namespace ps {
namespace {

struct Layout {
  std::size_t width;
  bool right;
};

/// Source: ps(1) of procps, its output.
Layout layout_of(Field field) {
  switch (field) {
    case Field::Pid:
    case Field::ParentPid:
    case Field::ProcessGroup:
    case Field::Session:
    case Field::Lwp: return {7, true};
    case Field::User:
    case Field::EffectiveUser:
    case Field::RealUser:
    case Field::Group:
    case Field::Tty: return {8, false};
    case Field::Uid:
    case Field::RealUid:
    case Field::Gid: return {5, true};
    case Field::CpuInteger: return {2, true};
    case Field::Cpu:
    case Field::MemoryShare: return {4, true};
    case Field::VirtualKb:
    case Field::CpuTimeShort: return {6, true};
    case Field::ResidentKb:
    case Field::SizePages: return {5, true};
    case Field::CpuTime: return {8, true};
    case Field::Elapsed: return {11, true};
    case Field::ElapsedSeconds: return {7, true};
    case Field::StateLong: return {4, false};
    case Field::StartTime: return {5, false};
    case Field::StartOfAux: return {6, true};
    case Field::StartLong: return {24, true};
    case Field::Threads: return {4, true};
    case Field::Priority:
    case Field::Nice:
    case Field::Processor: return {3, true};
    case Field::Wchan: return {6, false};
    case Field::State:
    case Field::Flags:
    case Field::Address: return {1, false};
    case Field::Comm:
    case Field::Args: return {15, false};
  }
  return {0, false};
}

}  // namespace

std::string table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) {
  std::vector<Layout> layouts;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Layout layout = layout_of(columns[i].field);
    layout.width = std::max(layout.width, columns[i].title.size());
    for (const auto& row : rows) layout.width = std::max(layout.width, row[i].size());
    layouts.push_back(layout);
  }
  std::string out;
  const auto cell = [&](std::size_t i, const std::string& text) {
    const bool last = i + 1 == columns.size();
    if (layouts[i].right) {
      out += fmt::format("{:>{}}", text, layouts[i].width);
    } else {
      out += last ? text : fmt::format("{:<{}}", text, layouts[i].width);
    }
    out += last ? '\n' : ' ';
  };
  for (std::size_t i = 0; i < columns.size(); ++i) cell(i, columns[i].title);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < columns.size(); ++i) cell(i, row[i]);
  }
  return out;
}

}  // namespace ps
