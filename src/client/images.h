#pragma once
/// /images. `ref` is a name, a name with tag or digest, an id or its prefix; it is encoded here.

#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "spec/engine/image.h"

namespace client {

using ProgressStream = JsonStream<spec::api::ProgressMessage>;

/// What a registry asks for: the X-Registry-Auth header. Never logged.
struct RegistryAuth {
  std::string username, password, auth, server_address, identity_token, registry_token;
  [[nodiscard]] std::string encode() const;
};

struct PullOptions {
  std::string reference;  ///< without tag or digest: "docker.io/library/busybox"
  std::string tag;        ///< a tag or a digest; "" : all tags
  std::string platform;
  std::optional<RegistryAuth> auth;
};

struct PushOptions {
  std::string reference;  ///< without a tag
  std::string tag;        ///< "": all tags
  std::string platform;   ///< "linux/arm64"
  std::optional<RegistryAuth> auth;
};

struct ImportOptions {
  std::string source = "-";  ///< an URL that the daemon fetches; "-": what is sent
  std::string repository;    ///< also with a tag
  std::string message, platform;
  std::vector<std::string> changes;
};

class Images {
 public:
  explicit Images(Client& client) : client_{client} {}

  // `platform`: "linux/arm64", of a name with images for several; "" for what the name stands for.
  // Errors: InvalidArgument for what is no platform.

  base::Result<std::vector<spec::api::ImageSummary>> list(bool all, const Filters& filters, bool manifests = false);
  base::Result<spec::api::ImageInspect> inspect(const std::string& ref);
  base::Result<codec::Json> inspect_raw(const std::string& ref, const std::string& platform = {});
  base::Result<std::vector<spec::api::ImageHistoryItem>> history(const std::string& ref,
                                                                 const std::string& platform = {});
  base::Result<std::vector<spec::api::ImageDeleteItem>> remove(const std::string& ref, bool force,
                                                               bool no_prune);
  base::Result<> tag(const std::string& ref, const std::string& repository, const std::string& tag);
  /// Failures after the first message are messages with `error`.
  base::Result<ProgressStream> pull(const PullOptions& options);
  base::Result<ProgressStream> push(const PushOptions& options);
  /// `archive`: null where the source is an URL.
  base::Result<ProgressStream> import(const ImportOptions& options, base::ByteSource* archive);
  /// Sends the archive while it is read.
  base::Result<ProgressStream> load(base::ByteSource& archive, bool quiet,
                                    const std::vector<std::string>& platforms = {});
  /// A tar with all of them.
  base::Result<std::unique_ptr<http::Reply>> save(const std::vector<std::string>& refs,
                                                  const std::vector<std::string>& platforms = {});

 private:
  Client& client_;
};

}  // namespace client
