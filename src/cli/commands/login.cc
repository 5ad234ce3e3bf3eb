#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/credential_store.h"
#include "client/registries.h"
#include "sys/fd.h"
#include "sys/pty.h"

namespace cli {

using base::Result;

namespace {

constexpr std::string_view kHubIndex = "https://index.docker.io/v1/";

/// One line of the standard input, without its end. Errors: InvalidArgument at the end of the input.
Result<std::string> read_line() {
  std::string line;
  std::array<char, 1> letter{};
  for (;;) {
    const std::size_t count = TRY(sys::read_some(0, letter));
    if (count == 0 && line.empty()) return base::invalid("EOF");
    if (count == 0 || letter[0] == '\n') return line;
    line += letter[0];
  }
}

class Login final : public Command {
 public:
  void bind(FlagBinder& flags) override {
    flags("password", password_);
    flags("password-stdin", password_stdin_);
    flags("username", username_);
  }

  Result<int> run(Cli& cli, const Invocation& invocation) override {
    TRY(check_flags(cli, invocation));
    const std::string given = invocation.arguments.empty() ? "" : invocation.arguments[0];
    const bool hub = given.empty() || given == "docker.io" || given == kHubIndex;
    const std::string server{hub ? kHubIndex : host_of_server(given)};
    const auto kept = TRY(cli.config().credentials(server));
    const bool asks = username_.empty() && password_.empty();
    if (asks && kept) {
      if (auto status = TRY(try_kept(cli, server, *kept))) return *status;
    }
    TRY(ask(cli, kept));
    return log_in(cli, server, {.username = username_, .password = password_, .server_address = server});
  }

 private:
  Result<> check_flags(Cli& cli, const Invocation& invocation) {
    const bool password_given = invocation.flags.changed("password");
    if (password_given && password_stdin_) {
      return base::invalid("conflicting options: cannot specify both --password and --password-stdin");
    }
    if (invocation.flags.changed("username") && username_.empty()) return base::invalid("username is empty");
    if (password_given) {
      cli.err().line("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    }
    if (password_given && password_.empty()) return base::invalid("password is empty");
    if (!password_stdin_) return {};
    if (username_.empty()) return base::invalid("the --password-stdin option requires --username to be set");
    password_ = TRY(sys::read_to_end(0, std::size_t{1} << 20U));
    while (password_.ends_with('\n') || password_.ends_with('\r')) password_.pop_back();
    return {};
  }

  /// Logs in with what an earlier login kept; nullopt if the registry does not take it any more.
  Result<std::optional<int>> try_kept(Cli& cli, const std::string& server, const Credentials& kept) {
    const bool named = !kept.username.empty();
    cli.err().line(
        "Authenticating with existing credentials...{}\n\n"
        " Info -> To login with a different account, run '{} logout' followed by '{} login'\n\n",
        named ? fmt::format(" [Username: {}]", kept.username) : "", cli.program(), cli.program());
    auto done = log_in(cli, server,
                       {.username = kept.username,
                        .password = kept.password,
                        .server_address = server,
                        .identity_token = kept.identity_token});
    if (done) return std::optional{*done};
    if (!done.failed_as(base::ErrorKind::Unauthorized)) return std::move(done).error();
    cli.err().line("Stored credentials invalid or expired");
    return std::optional<int>{};
  }

  Result<> ask(Cli& cli, const std::optional<Credentials>& kept) {
    if (!username_.empty() && !password_.empty()) return {};
    if (!sys::is_terminal(0)) {
      return base::invalid("Error: Cannot perform an interactive login from a non TTY device");
    }
    if (username_.empty()) {
      const std::string before = kept ? kept->username : "";
      cli.out().print("Username{}: ", before.empty() ? "" : fmt::format(" ({})", before));
      username_ = base::trim(TRY(read_line()));
      if (username_.empty()) username_ = before;
      if (username_.empty()) return base::invalid("username is empty");
    }
    if (password_.empty()) {
      cli.out().print("Password: ");
      {
        const auto hidden = TRY(sys::HiddenInput::enter(0));
        password_ = TRY(read_line());
      }
      cli.out().line("");
      if (password_.empty()) return base::invalid("password is empty");
    }
    return {};
  }

  static Result<int> log_in(Cli& cli, const std::string& server, const client::RegistryAuth& auth) {
    client::Client& client = *TRY(cli.client());
    const auto answer = TRY(client::Registries{client}.log_in(auth));
    Credentials credentials{auth.username, auth.password, auth.identity_token};
    if (!answer.identity_token.empty()) {
      credentials.password.clear();
      credentials.identity_token = answer.identity_token;
    }
    if (TRY(keep_credentials(cli, server, credentials)) == Kept::InFile) {
      cli.err().line(
          "\nWARNING! Your credentials are stored unencrypted in '{}'.\n"
          "Configure a credential helper to remove this warning. See\n"
          "https://docs.docker.com/go/credential-store/\n",
          config_path(cli));
    }
    if (!answer.status.empty()) cli.out().line("{}", answer.status);
    return 0;
  }

  std::string username_, password_;
  bool password_stdin_ = false;
};

}  // namespace

std::unique_ptr<Command> make_login() { return std::make_unique<Login>(); }

}  // namespace cli
