#include "cli/credential_store.h"

#include <algorithm>

#include "base/strings.h"
#include "cli/credential_helper.h"
#include "cli/format/tabbed_json.h"
#include "sys/file.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

/// The newest contents: another login may have written since this program began.
Result<Json> read_config(const std::string& path) {
  const auto text = sys::read_file(sys::kCwd, path);
  if (text.failed_as(base::ErrorKind::NotFound)) return Json{Json::Object{}};
  if (!text) return base::Error{text.error()};
  Json json = base::trim(*text).empty() ? Json{Json::Object{}} : TRY(Json::parse(*text).context(path));
  if (!json.is_object()) return base::invalid(path + ": not a JSON object");
  return json;
}

Result<> write_config(const Cli& cli, const Json& json) {
  std::string path = config_path(cli);
  TRY(sys::make_dirs(sys::kCwd, cli.options().config, 0700));
  // One link: dotfiles are often kept elsewhere.
  if (const auto target = sys::read_link(sys::kCwd, path)) {
    path = target->starts_with('/') ? *target : cli.options().config + "/" + *target;
  }
  return sys::write_file_atomic(sys::kCwd, path, tabbed_json(json), 0600).context("save credentials");
}

Json* member(Json::Object& members, std::string_view name) {
  const auto it = std::ranges::find(members, name, &Json::Member::first);
  return it == members.end() ? nullptr : &it->second;
}

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
  Json config = TRY(read_config(config_path(cli)));
  if (const auto helper = cli.config().credential_helper(server); !helper.empty()) {
    TRY(tell_credential_helper(helper, server, credentials));
    // The empty entry is how other clients see that there is a login.
    Json auths = config["auths"];
    config.set("auths", auths.set(server, Json{Json::Object{}}));
    TRY(write_config(cli, config));
    return Kept::WithHelper;
  }
  Json entry = entry_of(credentials);
  Json auths = config["auths"];
  if (auths[server] == entry) return Kept::AsItWas;
  const bool token = !credentials.identity_token.empty();
  config.set("auths", auths.set(server, std::move(entry)));
  TRY(write_config(cli, config));
  return token ? Kept::AsItWas : Kept::InFile;
}

Result<> erase_credentials(Cli& cli, const std::string& server) {
  if (const auto helper = cli.config().credential_helper(server); !helper.empty()) {
    TRY(erase_in_credential_helper(helper, server));
  }
  Json config = TRY(read_config(config_path(cli)));
  Json* auths = config.is_object() ? member(config.members(), "auths") : nullptr;
  if (auths == nullptr || !auths->is_object()) return {};
  auto& members = auths->members();
  if (std::erase_if(members, [&](const Json::Member& entry) { return entry.first == server; }) == 0) return {};
  return write_config(cli, config);
}

}  // namespace cli
