#include "engine/containers/launch.h"
#include "sys/file.h"
#include "sys/overlay.h"

namespace engine {

base::Result<sys::UniqueFd> merged_view(const snapshot::Mounts& mounts) {
  if (!mounts.is_overlay()) return sys::open_dir(sys::kCwd, mounts.upper);
  // Without an upper directory, so that this can't change anything, nor needs the work directory.
  sys::OverlayLayers layers{.lowers = {mounts.upper}, .upper = {}, .work = {}, .options = mounts.options};
  layers.lowers.insert(layers.lowers.end(), mounts.lowers.begin(), mounts.lowers.end());
  return sys::make_overlay(layers);
}

}  // namespace engine
