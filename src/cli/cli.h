#pragma once
/// What a command works with: output, the user's configuration, the connection to the daemon. One
/// thread. Everything that costs is made when it is first asked for.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/config.h"
#include "cli/context/store.h"
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
  std::string ca, certificate, key;
  /// On the command line, where "=false" says something too.
  bool tls_verify_given = false, certificate_given = false, key_given = false;

  /// With the defaults that DOCKER_TLS, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH give.
  static GlobalOptions from_environment();
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
  Config& config();
  /// Does not connect yet. Errors: those of `target`, certificates that can't be read.
  base::Result<client::Client*> client();

  /// The named way to the daemon that is meant: by --context, --host or DOCKER_HOST ("default"), DOCKER_CONTEXT,
  /// or the configuration, in this order. Whether there is one of that name shows when it is used.
  std::string context_name();
  [[nodiscard]] ContextStore contexts() const { return ContextStore{options_.config + "/contexts"}; }
  /// Where the daemon listens. Errors: "unable to resolve docker endpoint: …".
  base::Result<client::Target> target();
  /// The same of a context that is named; "default" is what flags and environment say.
  base::Result<client::Target> target_of(const std::string& context);

 private:
  [[nodiscard]] base::Result<client::Target> default_target() const;

  std::string program_;
  GlobalOptions options_;
  Output out_{1};
  Output err_{2};
  std::optional<Config> config_;
  std::unique_ptr<client::Client> client_;
};

}  // namespace cli
