#include "runtime/detail/image_manifest.h"

#include <cstdint>
#include <map>
#include <string>

#include <sys/stat.h>

#include <fmt/format.h>

#include "codec/describe.h"
#include "sys/file.h"

namespace runtime::detail::criu {

using base::Result;

namespace {

using Sizes = std::map<std::string, std::uint64_t>;

}  // namespace

Result<> write_manifest(int images) {
  Sizes sizes;
  const auto entries = TRY(sys::list_dir(images));
  for (const auto& entry : entries) {
    if (!entry.name.ends_with(".img")) continue;
    const struct ::stat status = TRY(sys::stat_at(images, entry.name));
    if (S_ISREG(status.st_mode)) sizes[entry.name] = static_cast<std::uint64_t>(status.st_size);
  }
  return sys::write_file_atomic(images, std::string{kManifestFile}, codec::to_json(sizes).dump(), 0600);
}

Result<> check_manifest(int images) {
  auto text = sys::read_file(images, std::string{kManifestFile});
  if (text.failed_as(base::ErrorKind::NotFound)) return {};
  const Sizes sizes = TRY(codec::from_json_text<Sizes>(TRY(std::move(text))).context(kManifestFile));
  for (const auto& [name, size] : sizes) {
    if (name.find('/') != std::string::npos) return base::invalid(fmt::format("{} names the path {}", kManifestFile, name));
    const auto status = sys::stat_at(images, name);
    if (status.failed_as(base::ErrorKind::NotFound)) return base::invalid(fmt::format("the checkpoint is damaged: {} is missing", name));
    const auto present = static_cast<std::uint64_t>(TRY(status).st_size);
    if (present == size) continue;
    return base::invalid(fmt::format("the checkpoint is damaged: {} has {} bytes, not {}", name, present, size));
  }
  return {};
}

}  // namespace runtime::detail::criu
