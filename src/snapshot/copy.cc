#include "snapshot/copy.h"

#include "snapshot/detail/copy_tree.h"

namespace snapshot {

base::Result<> copy_tree(int from, int to) { return detail::copy_tree(from, to); }

}  // namespace snapshot
