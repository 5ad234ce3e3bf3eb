#include "engine/containers/tree_view.h"
#include "engine/containers/verbs.h"
#include "tree/glob.h"

namespace engine {

base::Result<std::vector<std::string>> expand_paths(Core& core, const ContainerPtr& container,
                                                    const std::string& pattern) {
  constexpr std::size_t kMostPaths = 10'000;
  const TreeView view = TRY(open_tree_view(core, container));
  return tree::expand(view.root(), pattern, kMostPaths);
}

}  // namespace engine
