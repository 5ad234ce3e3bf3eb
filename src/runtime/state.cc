#include "runtime/state.h"

#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace runtime {

using base::Result;

std::string_view name_of(Status status) {
  static constexpr std::array<std::string_view, 5> kNames{"creating", "created", "running", "paused", "stopped"};
  return kNames.at(static_cast<std::size_t>(status));
}

codec::Json oci_document(const State& state) {
  auto document = codec::Json::object({{"ociVersion", state.oci_version}, {"id", state.id}});
  document.set("status", name_of(state.status));
  if (state.pid != 0) document.set("pid", state.pid);
  document.set("bundle", state.bundle);
  if (!state.annotations.empty()) document.set("annotations", codec::to_json(state.annotations));
  return document;
}

Result<> check_id(const std::string& id) {
  static constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
  const bool right = !id.empty() && id.size() <= 1024 && id.find_first_not_of(kAllowed) == std::string::npos &&
                     id != "." && id != ".." && !id.starts_with('.');
  if (right) return {};
  return base::invalid(fmt::format("invalid ID format: {}", base::quoted(id)));
}

std::string state_directory(const std::string& state_root, const std::string& id) { return state_root + "/" + id; }

Result<> write_state(const std::string& directory, const State& state) {
  return sys::write_file_atomic(sys::kCwd, directory + "/state.json", codec::to_json(state).dump(), 0600);
}

Result<State> read_state(const std::string& directory) {
  const std::string text = TRY(sys::read_file(sys::kCwd, directory + "/state.json"));
  return codec::from_json_text<State>(text).context(directory + "/state.json");
}

}  // namespace runtime
