#include "snapshot/detail/layer_order.h"

#include <map>
#include <string>

namespace snapshot::detail {

base::Result<std::vector<std::size_t>> parents_first(const std::vector<NewLayer>& layers) {
  std::map<std::string, std::size_t> by_id;
  for (std::size_t i = 0; i < layers.size(); ++i) by_id[layers[i].chain_id] = i;
  std::vector<std::size_t> ordered;
  std::vector<bool> done(layers.size(), false);
  for (std::size_t start = 0; start < layers.size(); ++start) {
    std::vector<std::size_t> path;
    for (std::size_t at = start; !done[at];) {
      if (path.size() > layers.size()) return base::invalid("layers that stand on each other in a circle");
      path.push_back(at);
      const auto parent = by_id.find(layers[at].parent);
      if (parent == by_id.end()) break;
      at = parent->second;
    }
    for (auto at = path.rbegin(); at != path.rend(); ++at) {
      if (!done[*at]) ordered.push_back(*at);
      done[*at] = true;
    }
  }
  return ordered;
}

}  // namespace snapshot::detail
