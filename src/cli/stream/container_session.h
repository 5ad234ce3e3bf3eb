#pragma once
/// One container in the foreground: attached, waited for, perhaps started. What `run`, `start -a` and
/// `attach` share.

#include <string>

#include "base/function_ref.h"
#include "base/result.h"
#include "cli/cli.h"
#include "client/containers.h"

namespace cli {

struct SessionOptions {
  std::string id;
  bool tty = false;
  bool in = false, out = true, err = true;
  bool proxy_signals = true;
  bool auto_remove = false;  ///< the wait lasts until it is removed
  /// It runs already: its end may come before the wait does.
  bool running = false;
  std::string detach_keys;
};

/// Attach, then a registered wait, then `start`, so that nothing is missed. The exit status: the
/// container's, 0 when the user left it running. Errors: of the attach, of `start`.
base::Result<int> run_session(Cli& cli, client::Client& client, const SessionOptions& options,
                              base::FunctionRef<base::Result<>()> start);

}  // namespace cli
