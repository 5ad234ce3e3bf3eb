#pragma once
/// docker's contexts, the named ways to a daemon, as files that both clients share:
///
///   ~/.docker/contexts/
///     meta/<sha256 of the name>/meta.json      {"Name": "x", "Metadata": {"Description": "…"},
///                                               "Endpoints": {"docker": {"Host": "…", "SkipTLSVerify": false}}}
///     tls/<sha256 of the name>/<endpoint>/     ca.pem, cert.pem, key.pem
///
/// Members that this program does not know are kept. A name that a caller passes may be anything.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace cli {

/// The one that flags and environment make; it is in no file.
inline constexpr std::string_view kDefaultContext = "default";

/// Errors: InvalidArgument in docker's words: reserved, empty, letters.
base::Result<> check_context_name(std::string_view name);

/// Endpoint → file name → contents.
using ContextTls = std::map<std::string, std::map<std::string, std::string>>;

class ContextStore {
 public:
  explicit ContextStore(std::string directory) : directory_{std::move(directory)} {}

  /// What meta.json holds, of all, by name. Errors: a file that is no JSON, by name.
  [[nodiscard]] base::Result<std::vector<codec::Json>> list() const;
  /// Errors: NotFound, `context "x": context not found: open …`.
  [[nodiscard]] base::Result<codec::Json> find(const std::string& name) const;
  [[nodiscard]] base::Result<bool> contains(const std::string& name) const;
  /// Makes or replaces the one that `meta` names.
  [[nodiscard]] base::Result<> save(const codec::Json& meta) const;
  /// One that is not there is success.
  [[nodiscard]] base::Result<> remove(const std::string& name) const;

  [[nodiscard]] base::Result<ContextTls> tls(const std::string& name) const;
  /// Replaces all of them. Names of endpoints and files are single path components: InvalidArgument else.
  [[nodiscard]] base::Result<> replace_tls(const std::string& name, const ContextTls& tls) const;

  [[nodiscard]] std::string meta_path(std::string_view name) const;
  [[nodiscard]] std::string tls_path(std::string_view name) const;

 private:
  std::string directory_;
};

}  // namespace cli
