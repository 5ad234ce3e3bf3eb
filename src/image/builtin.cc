#include "image/detail/builtin.h"

#include <algorithm>

#include "image/detail/load.h"
#include "sys/fd_stream.h"
#include "sys/file.h"

namespace image::detail {

using base::Digest;
using base::Result;

Result<std::string> find_builtin(const Core& core, const spec::Reference& reference) {
  constexpr std::string_view kOfficial = "library/";
  const std::string& path = reference.path();
  if (core.options.builtin_path.empty() || reference.domain() != "docker.io" ||
      !path.starts_with(kOfficial) || !reference.digest().empty() || reference.tag() != "latest") {
    return std::string{};
  }
  if (TRY(core.records.reference(reference.str()))) return std::string{};
  const std::string archive = core.options.builtin_path + "/" + path.substr(kOfficial.size()) + ".tar";
  return TRY(sys::exists(sys::kCwd, archive)) ? archive : std::string{};
}

Result<Digest> load_builtin(Core& core, const std::string& archive, const spec::Reference& reference,
                            Progress& progress, const std::stop_token& stop) {
  sys::FdSource source{TRY(sys::open_at(sys::kCwd, archive, O_RDONLY))};
  const auto loaded =
      TRY(load_archive(core, source, nullptr, nullptr, stop).context("built-in image " + archive));
  const auto it = std::find_if(loaded.begin(), loaded.end(), [&](const auto& image) {
    return std::find(image.tags.begin(), image.tags.end(), reference.familiar()) != image.tags.end();
  });
  if (it == loaded.end())
    return base::internal("built-in image " + archive + " has no " + reference.familiar());
  progress.status("Status: Built-in image ready for " + reference.familiar());
  return it->id;
}

}  // namespace image::detail
