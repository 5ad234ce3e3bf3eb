#pragma once
/// hosts.toml: where a registry's content is served besides, and how each of those places is spoken to.
///
///   <certs_dir>/<host>_<port>_/hosts.toml, <certs_dir>/<host[:port]>/hosts.toml, <certs_dir>/_default/hosts.toml
///
///   server = "https://registry.example"          # asked last; the registry itself without
///   [host."https://mirror.example:5000"]         # in the order of the file
///     capabilities = ["pull", "resolve", "push"] # all three without
///     ca = "ca.pem"                              # or a list; relative to the folder
///     client = [["client.cert", "client.key"]]   # or one file with both
///     skip_verify = false
///     override_path = false                      # the URL's path is the API's root: no "/v2" behind it
///     [host."…".header]
///       X-Custom = ["value"]
///     [host."…".rewrite]                         # POSIX extended expressions; $1 is the first group
///       "^library/(.*)" = "mirror/$1"
///
/// Source: containerd's docs/hosts.md; `rewrite` as k3s and RKE2 have it.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace distribution::detail {

struct Rewrite {
  std::string pattern, replacement;
};

struct Host {
  std::string url;             ///< "https://mirror.example:5000/path", no slash at the end
  bool override_path = false;  ///< the API's root is `url`, not `url`/v2
  bool pull = true, resolve = true, push = true;
  std::optional<bool> skip_verify;
  std::vector<std::string> authorities;                      ///< paths of PEM files
  std::vector<std::pair<std::string, std::string>> clients;  ///< paths of certificate and key
  std::vector<std::string> headers;                          ///< "Name: value"
  std::vector<Rewrite> rewrites;

  [[nodiscard]] bool has_trust() const { return skip_verify || !authorities.empty() || !clients.empty(); }
};

struct Hosts {
  std::vector<Host> mirrors;
  Host server;  ///< its url is empty where the file names none
};

/// `folder`: what paths in the file are relative to. Errors: InvalidArgument with the line.
base::Result<Hosts> parse_hosts(std::string_view text, const std::string& folder);

/// Of the registry `domain`; nullopt where no file is. Errors: those of reading and parsing, with the file's name.
base::Result<std::optional<Hosts>> read_hosts(const std::string& certs_dir, const std::string& domain);

/// The first rule that matches changes the path.
[[nodiscard]] std::string rewrite_path(const std::vector<Rewrite>& rules, const std::string& path);

}  // namespace distribution::detail
