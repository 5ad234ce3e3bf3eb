#include "cli/credential_store.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "cli/config.h"
#include "cli/credential_helper.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

/// The entry as docker writes it.
Json entry_of(const Credentials& credentials) {
  Json entry{Json::Object{}};
  const bool token = !credentials.identity_token.empty();
  entry.set("auth", base::base64(credentials.username + ":" + (token ? "" : credentials.password)));
  if (token) entry.set("identitytoken", credentials.identity_token);
  return entry;
}

}  // namespace

std::string config_path(const Cli& cli) { return cli.options().config + "/config.json"; }

Result<Kept> keep_credentials(Cli& cli, const std::string& server, const Credentials& credentials) {
  // The newest contents: another login may have written since this program began.
  Config config = TRY(Config::load(cli.options().config));
  Json auths = config.json()["auths"];
  if (const auto helper = cli.config().credential_helper(server); !helper.empty()) {
    TRY(tell_credential_helper(helper, server, credentials));
    // The empty entry is how other clients see that there is a login.
    config.set("auths", auths.set(server, Json{Json::Object{}}));
    TRY(config.save());
    return Kept::WithHelper;
  }
  Json entry = entry_of(credentials);
  if (auths[server] == entry) return Kept::AsItWas;
  config.set("auths", auths.set(server, std::move(entry)));
  TRY(config.save().context("save credentials"));
  return credentials.identity_token.empty() ? Kept::InFile : Kept::AsItWas;
}

Result<> erase_credentials(Cli& cli, const std::string& server) {
  if (const auto helper = cli.config().credential_helper(server); !helper.empty()) {
    TRY(erase_in_credential_helper(helper, server));
  }
  Config config = TRY(Config::load(cli.options().config));
  Json auths = config.json()["auths"];
  if (!auths.is_object()) return {};
  if (std::erase_if(auths.members(), [&](const Json::Member& entry) { return entry.first == server; }) == 0) return {};
  config.set("auths", std::move(auths));
  return config.save();
}

}  // namespace cli
