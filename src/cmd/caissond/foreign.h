#pragma once
/// What dockerd knows and this engine does not. A setting that changes what a user gets is refused, since ignoring it
/// would be a lie; one that loses nothing is noted; one that asks for what is the case anyway is taken without a word.

#include <deque>
#include <string>
#include <vector>

#include "base/result.h"
#include "flags/flag_set.h"

namespace caissond {

class ForeignFlags {
 public:
  /// Adds the flags, hidden. The set must not outlive this.
  void bind(flags::FlagSet& set);
  /// The same for a second set: both fill the same values.
  void bind_again(flags::FlagSet& set);
  /// Looks at what was set. Adds to `warnings`. Errors: NotImplemented.
  base::Result<> judge(std::vector<std::string>& warnings) const;

 private:
  std::deque<std::vector<std::string>> values_;  ///< one per row of the table, the texts as they were given
};

}  // namespace caissond
