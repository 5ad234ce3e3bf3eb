#pragma once
/// Progress messages of pull, push and load: on a terminal one line per layer that changes in place,
/// plain lines elsewhere. Source: the output of docker's client.

#include <map>
#include <string>

#include "base/result.h"
#include "cli/output.h"
#include "client/images.h"

namespace cli {

/// "[==>   ]  1.2MB/5MB", as wide as a terminal of `columns` has room for; "" when nothing is known.
[[nodiscard]] std::string progress_bar(const spec::api::ProgressDetail& detail, std::size_t columns);

class ProgressDisplay {
 public:
  explicit ProgressDisplay(Output& out)
      : out_{out}, terminal_{out.is_terminal()}, columns_{terminal_ ? out.columns() : kPlainColumns} {}

  /// Errors: what the message reports.
  base::Result<> show(const spec::api::ProgressMessage& message);

 private:
  static constexpr std::size_t kPlainColumns = 200;
  void print(const spec::api::ProgressMessage& message);

  Output& out_;
  bool terminal_;
  std::size_t columns_;
  std::map<std::string, std::size_t> lines_;  ///< of which layer, from the top
};

/// Shows all of them. Errors: the stream's own, and what it reports.
base::Result<> show_progress(Output& out, client::ProgressStream& stream);
/// Shows none. The same errors.
base::Result<> wait_for_end(client::ProgressStream& stream);

}  // namespace cli
