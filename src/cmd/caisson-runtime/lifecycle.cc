#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "base/strings.h"
#include "cmd/caisson-runtime/commands.h"
#include "runtime/container.h"
#include "sys/file.h"
#include "sys/signals.h"

namespace caisson_runtime {

using base::Result;
using runtime::Container;

namespace {

Result<Container> load(const Globals& globals, const Arguments& arguments) {
  return Container::load(globals.root, arguments.rest()[0]);
}

/// The specification's document with what runc adds, in runc's order.
codec::Json document(const runtime::State& state) {
  auto out = codec::Json::object({{"ociVersion", state.oci_version}, {"id", state.id}, {"pid", state.pid}});
  out.set("status", runtime::name_of(state.status));
  out.set("bundle", state.bundle);
  out.set("rootfs", state.rootfs);
  out.set("created", state.created);
  if (!state.annotations.empty()) out.set("annotations", codec::to_json(state.annotations));
  out.set("owner", "");
  return out;
}

Result<int> parse_signal(const std::string& text) {
  if (text == "0") return 0;
  const auto number = sys::signal_number(text);
  if (!number) return base::invalid("unknown signal " + base::quoted(text));
  return *number;
}

std::string owner_name(std::uint32_t uid) { return uid == 0 ? "root" : fmt::format("#{}", uid); }

/// Columns as wide as their widest cell and three spaces, at least twelve: Go's tabwriter(12, 1, 3).
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 12);
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + 3);
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += i + 1 < row.size() ? fmt::format("{:{}}", row[i], widths[i]) : row[i];
    }
    out += '\n';
  }
  return out;
}

}  // namespace

Result<int> run_start(const Globals& globals, const Arguments& arguments) {
  auto container = TRY(load(globals, arguments));
  TRY(container.start());
  return 0;
}

Result<int> run_state(const Globals& globals, const Arguments& arguments) {
  const auto container = TRY(load(globals, arguments));
  TRY(print(document(container.state()).dump_pretty(2) + "\n"));
  return 0;
}

Result<int> run_kill(const Globals& globals, const Arguments& arguments) {
  auto container = TRY(load(globals, arguments));
  const int signal = arguments.rest().size() > 1 ? TRY(parse_signal(arguments.rest()[1])) : SIGTERM;
  TRY(container.kill(signal, arguments.has("all")));
  return 0;
}

Result<int> run_delete(const Globals& globals, const Arguments& arguments) {
  const bool force = arguments.has("force");
  auto container = load(globals, arguments);
  if (!container) {
    if (!force || !container.failed_as(base::ErrorKind::NotFound)) return std::move(container).error();
    auto cleaned = Container::clean_up(globals.root, arguments.rest()[0]);
    // As runc: nothing to delete is what "force" wanted.
    if (!cleaned && !cleaned.failed_as(base::ErrorKind::NotFound)) return std::move(cleaned).error();
    return 0;
  }
  TRY(container->destroy(force));
  return 0;
}

Result<int> run_list(const Globals& globals, const Arguments& arguments) {
  // A place that somebody named must be there; the default one comes with the first container.
  if (globals.root_given) TRY(sys::open_dir(sys::kCwd, globals.root));
  const auto states = TRY(Container::list(globals.root));
  const std::string format = arguments.value_or("format", "table");
  std::string out;
  if (arguments.has("quiet")) {
    for (const auto& state : states) out += state.id + "\n";
  } else if (format == "json") {
    codec::Json::Array items;
    for (const auto& state : states) items.push_back(document(state));
    out = codec::Json{std::move(items)}.dump() + "\n";
  } else if (format == "table") {
    std::vector<std::vector<std::string>> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
    for (const auto& state : states) {
      rows.push_back({state.id, fmt::format("{}", state.pid), std::string{name_of(state.status)}, state.bundle,
                      state.created, owner_name(state.owner)});
    }
    out = table(rows);
  } else {
    return base::invalid("invalid format option");
  }
  TRY(print(out));
  return 0;
}

Result<int> run_pause(const Globals& globals, const Arguments& arguments) {
  auto container = TRY(load(globals, arguments));
  TRY(container.pause());
  return 0;
}

Result<int> run_resume(const Globals& globals, const Arguments& arguments) {
  auto container = TRY(load(globals, arguments));
  TRY(container.resume());
  return 0;
}

}  // namespace caisson_runtime
