#pragma once
/// The client's side of the OCI distribution protocol, over libcurl.
///
/// A Client keeps connections, TLS sessions, DNS answers and tokens. `open` finds the endpoint that
/// serves a repository: the mirrors (docker.io only), then HTTPS, then HTTP where the registry is
/// insecure (127.0.0.0/8, ::1 and localhost are by default, as in docker). Everything that comes is
/// checked against size and digest before it is parsed. Nothing secret is logged; an Authorization
/// header goes to no host but the one it is for, and not from HTTPS to HTTP.
///
/// Threads: any for Client and Repository, one for a blob's source.
///
/// Errors: NotFound with docker's text ("manifest for x:1 not found: manifest unknown: …", "pull access
/// denied for x, …"), Unauthorized, Unavailable (`Get "https://…/v2/": dial tcp: …`, also after the
/// last retry, and when `stop` was requested), InvalidArgument (a wrong digest or size, over a limit,
/// malformed).
/// Source: OCI distribution specification 1.1; docker's token authentication
/// (distribution.github.io/distribution/spec/auth).

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/digest.h"
#include "base/result.h"
#include "spec/oci_image.h"
#include "spec/reference.h"

namespace distribution {

/// Of X-Registry-Auth. All empty: anonymous.
struct Credentials {
  std::string username, password;
  std::string identity_token;  ///< an OAuth2 refresh token
  std::string registry_token;  ///< a bearer token, passed on as it is
};

enum class Access : std::uint8_t { Pull, Push };

struct Options {
  std::vector<std::string> mirrors;              ///< of docker.io: "https://mirror.example"
  std::vector<std::string> insecure_registries;  ///< "host[:port]" or a CIDR
  std::string certs_dir = "/etc/docker/certs.d";
  std::string user_agent = "caisson/0.1";
  std::chrono::milliseconds connect_timeout{5000};  ///< resolving, connecting, TLS
  std::chrono::seconds stall_timeout{30};           ///< without one byte
  int attempts = 5;                                 ///< in a row without progress
  std::chrono::milliseconds first_backoff{500};     ///< doubles, up to 10 s
  /// A large blob comes in parts of this size, several at once, where the registry gives ranges; 0: never.
  std::uint64_t part_bytes = std::uint64_t{8} << 20U;
  bool parts_on_loopback = false;  ///< where one stream is as fast as several
};

inline constexpr std::size_t kManifestLimit = std::size_t{4} << 20U;
inline constexpr std::size_t kMostTags = 10'000;
inline constexpr std::size_t kConfigLimit = std::size_t{16} << 20U;

struct FetchedManifest {
  std::string bytes;
  std::string media_type;
  base::Digest digest;  ///< of `bytes`
};

/// Told, from any thread, that a broken download goes on after `delay`.
class RetryObserver {
 public:
  virtual ~RetryObserver() = default;
  virtual void retrying(std::chrono::seconds delay, const base::Error& cause) = 0;
};

/// A blob to push, as often as it takes.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  /// From `offset` to the end.
  virtual base::Result<std::unique_ptr<base::ByteSource>> open(std::uint64_t offset) = 0;
};

class PushObserver : public RetryObserver {
 public:
  /// So many of the blob's bytes are with the registry.
  virtual void sent(std::uint64_t bytes) = 0;
};

struct PushedBlob {
  enum class How : std::uint8_t { Exists, Mounted, Uploaded };
  How how = How::Exists;
  std::string mounted_from;  ///< the path of the other repository
};

class Repository {
 public:
  virtual ~Repository() = default;
  /// "https://registry-1.docker.io": where it was found.
  [[nodiscard]] virtual const std::string& endpoint() const = 0;

  /// Image manifest or index, by tag or digest text. Schema 1 is refused.
  virtual base::Result<FetchedManifest> manifest(const std::string& tag_or_digest, std::stop_token stop) = 0;
  /// All tags, in the registry's order; at most kMostTags. Errors: as `manifest`.
  virtual base::Result<std::vector<std::string>> tags(std::stop_token stop) = 0;
  /// Manifests that have the one of this digest as their subject (referrers): by the referrers API, or where the
  /// registry has none, by the tag that stands in for it. `artifact_type`: "" for all.
  virtual base::Result<std::vector<spec::Descriptor>> referrers(const base::Digest& subject,
                                                                const std::string& artifact_type,
                                                                std::stop_token stop) = 0;
  /// Media type, digest and size of a manifest without its body (HEAD).
  virtual base::Result<spec::Descriptor> describe_manifest(const std::string& tag_or_digest,
                                                           std::stop_token stop) = 0;
  /// A small blob as a whole, verified.
  virtual base::Result<std::string> read_blob(const spec::Descriptor& blob, std::size_t limit,
                                              std::stop_token stop) = 0;
  /// The bytes of a blob from `offset` on, exactly up to its size. A connection that breaks is resumed
  /// by Range (or by skipping, where the server can't), with backoff. The caller checks the digest.
  virtual base::Result<std::unique_ptr<base::ByteSource>> open_blob(const spec::Descriptor& blob,
                                                                    std::uint64_t offset,
                                                                    std::stop_token stop,
                                                                    RetryObserver* observer = nullptr) = 0;

  // -- opened for pushing -----------------------------------------------------------------------------

  /// Sees to it that the repository has the blob: asks, tries to mount it from each of `mount_from`
  /// (repository paths of the same registry), and uploads it: a small one with one request, others as a
  /// stream that goes on after a broken connection from where the registry got to. The registry
  /// verifies the digest. Errors: Unauthorized, Unavailable, what `reader` says, and the registry's.
  virtual base::Result<PushedBlob> push_blob(const spec::Descriptor& blob,
                                             const std::vector<std::string>& mount_from, BlobReader& reader,
                                             std::stop_token stop, PushObserver* observer) = 0;
  /// Puts a manifest whose blobs are there. Its digest.
  virtual base::Result<base::Digest> push_manifest(const std::string& tag_or_digest,
                                                   const std::string& media_type, const std::string& bytes,
                                                   std::stop_token stop) = 0;
};

struct SearchResult {
  std::string name, description;
  std::int64_t stars = 0;
  bool official = false, automated = false;
};

/// A file of the web.
struct Download {
  std::unique_ptr<base::ByteSource> bytes;
  std::optional<std::uint64_t> size;
};

class Client {
 public:
  static base::Result<std::unique_ptr<Client>> create(Options options);
  virtual ~Client() = default;
  /// For repositories that are opened from here on. Errors: as create; then nothing has changed.
  virtual base::Result<> reconfigure(Options options) = 0;
  /// Pings the endpoints in order and takes the first that answers as a registry.
  virtual base::Result<std::unique_ptr<Repository>> open(const spec::Reference& reference,
                                                         const Credentials& credentials,
                                                         std::stop_token stop) = 0;
  /// The same for pushing: no mirrors, and a token that also covers reading `mount_from`.
  virtual base::Result<std::unique_ptr<Repository>> open_for_push(const spec::Reference& reference,
                                                                  const Credentials& credentials,
                                                                  const std::vector<std::string>& mount_from,
                                                                  std::stop_token stop) = 0;

  /// The same client, but for a host that is insecure besides (as in Options::insecure_registries).
  [[nodiscard]] virtual std::unique_ptr<Client> trusting(const std::string& host) const = 0;

  /// Asks the registry whether it takes the credentials. `server`: "registry.example:5000", an URL of it, or
  /// Docker Hub's "https://index.docker.io/v1/". An identity token to keep instead of the password where the
  /// registry gives one, else "". Errors: Unauthorized (refused), Unavailable.
  virtual base::Result<std::string> log_in(const std::string& server, const Credentials& credentials,
                                           std::stop_token stop) = 0;
  /// The old search protocol of Docker Hub, which a registry may have too: "nginx", "registry.example/nginx".
  /// `limit`: 1 to 100, 0 for 25. Errors: InvalidArgument, NotImplemented (the registry has no search),
  /// Unavailable.
  virtual base::Result<std::vector<SearchResult>> search(const std::string& term, int limit,
                                                         const Credentials& credentials,
                                                         std::stop_token stop) = 0;
  /// A GET of any http or https URL, redirects followed; what comes may be cut off, and is not resumed.
  /// Errors: InvalidArgument (no such URL), NotFound, Unavailable, ….
  virtual base::Result<Download> fetch(const std::string& url, std::stop_token stop) = 0;
};

}  // namespace distribution
