#pragma once
/// The whole of caisson-log behind its command line.

#include "base/result.h"

namespace forward {

/// Reads the feed (logs/feed.h) and sends its lines until the feed has ended and all are out, or for ten
/// seconds after its end. Errors: what made it impossible to begin, which the feed's other end is told, too.
base::Result<> run(int feed);

}  // namespace forward
