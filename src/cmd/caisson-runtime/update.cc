#include <fmt/format.h>

#include "base/strings.h"
#include "cmd/caisson-runtime/commands.h"
#include "flags/units.h"
#include "runtime/container.h"
#include "sys/fd.h"
#include "sys/file.h"

namespace caisson_runtime {

using base::Result;

namespace {

template <class T>
Result<> take(const Arguments& arguments, std::string_view flag, std::optional<T>& field) {
  const auto number = TRY(arguments.number(flag));
  if (number) field = static_cast<T>(*number);
  return {};
}

/// "100M", as docker writes sizes, and -1 for no limit.
Result<> take_size(const Arguments& arguments, std::string_view flag, std::optional<std::int64_t>& field) {
  const auto text = arguments.value(flag);
  if (!text) return {};
  const auto size = *text == "-1" ? Result<std::int64_t>{-1} : flags::parse_ram_bytes(*text);
  if (!size) return base::invalid(fmt::format("invalid value for {}: {}", flag, size.error().message()));
  field = *size;
  return {};
}

Result<spec::oci::Resources> from_flags(const Arguments& arguments) {
  spec::oci::Resources out;
  auto& cpu = out.cpu.emplace();
  auto& memory = out.memory.emplace();
  TRY(take(arguments, "cpu-period", cpu.period));
  TRY(take(arguments, "cpu-quota", cpu.quota));
  TRY(take(arguments, "cpu-burst", cpu.burst));
  TRY(take(arguments, "cpu-share", cpu.shares));
  TRY(take(arguments, "cpu-rt-period", cpu.realtime_period));
  TRY(take(arguments, "cpu-rt-runtime", cpu.realtime_runtime));
  TRY(take(arguments, "cpu-idle", cpu.idle));
  cpu.cpus = arguments.value_or("cpuset-cpus", "");
  cpu.mems = arguments.value_or("cpuset-mems", "");
  TRY(take_size(arguments, "memory", memory.limit));
  TRY(take_size(arguments, "memory-reservation", memory.reservation));
  TRY(take_size(arguments, "memory-swap", memory.swap));
  TRY(take_size(arguments, "kernel-memory-tcp", memory.kernel_tcp));
  if (arguments.value("pids-limit")) TRY(take(arguments, "pids-limit", out.pids.emplace().limit));
  if (arguments.value("blkio-weight")) TRY(take(arguments, "blkio-weight", out.block_io.emplace().weight));
  return out;
}

Result<spec::oci::Resources> from_document(const std::string& file) {
  const std::string text = file == "-" ? TRY(sys::read_to_end(0)) : TRY(sys::read_file(sys::kCwd, file));
  return spec::oci::parse_resources(text);
}

}  // namespace

Result<int> run_update(const Globals& globals, const Arguments& arguments) {
  auto container = TRY(runtime::Container::load(globals.root, arguments.rest()[0]));
  const auto file = arguments.value("resources");
  const auto resources = file ? TRY(from_document(*file)) : TRY(from_flags(arguments));
  TRY(container.update(resources));
  return 0;
}

}  // namespace caisson_runtime
