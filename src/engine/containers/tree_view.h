#pragma once
/// The root of a container's file system as a descriptor, whether it runs or not.

#include <mutex>

#include "base/result.h"
#include "engine/containers/core.h"
#include "sys/fd.h"
#include "sys/private_mounts.h"

namespace engine {

/// Nothing below `root` may be reached but by sys::open_in_root and its like: its links are the container's.
struct TreeView {
  std::shared_ptr<const Record> record;
  bool running = false;
  /// Of a container that does not run: nobody starts or removes it meanwhile.
  std::unique_lock<std::mutex> verb;
  sys::PrivateMounts mounts;  ///< of one that does not run
  sys::UniqueFd own_root;     ///< of one that does

  [[nodiscard]] int root() const { return own_root ? own_root.get() : mounts.root.get(); }
};

/// Errors: NotFound (it was removed meanwhile), Internal.
base::Result<TreeView> open_tree_view(Core& core, const ContainerPtr& container);

/// The same without any mount but the root's own: what the container's layers show.
base::Result<TreeView> open_layers_view(Core& core, const ContainerPtr& container);

}  // namespace engine
