#pragma once
/// What a command works with: output, the user's configuration, the connection to the daemon. One
/// thread. Everything that costs is made when it is first asked for.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/config.h"
#include "cli/output.h"
#include "client/client.h"

namespace cli {

/// The flags that stand before the command.
struct GlobalOptions {
  std::string config = Config::default_directory();
  std::string context;
  std::vector<std::string> hosts;
  std::string log_level = "info";
  bool debug = false;
  bool tls = false, tls_verify = false;
  bool tls_verify_given = false;
  std::string ca, certificate, key;
};

class Cli {
 public:
  /// `program`: what the user called it, "caisson" or "docker": messages name it so.
  Cli(std::string program, GlobalOptions options)
      : program_{std::move(program)}, options_{std::move(options)} {}

  [[nodiscard]] const std::string& program() const { return program_; }
  [[nodiscard]] const GlobalOptions& options() const { return options_; }
  Output& out() { return out_; }
  Output& err() { return err_; }

  /// An unreadable file is reported once and counts as empty.
  const Config& config();
  /// Does not connect yet. Errors: a malformed host, certificates that can't be read.
  base::Result<client::Client*> client();
  /// Where the daemon listens: "unix:///run/caisson/caissond.sock".
  [[nodiscard]] client::Target target() const;

 private:
  std::string program_;
  GlobalOptions options_;
  Output out_{1};
  Output err_{2};
  std::optional<Config> config_;
  std::unique_ptr<client::Client> client_;
};

}  // namespace cli
