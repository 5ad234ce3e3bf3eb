#pragma once
/// One repository at the place that serves it; moves on to the next place when a mirror fails.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "distribution/client.h"
#include "distribution/detail/endpoint.h"

namespace distribution::detail {

/// What all requests for one repository share; a blob's source keeps it alive.
struct Session {
  Session(Options session_options, spec::Reference session_reference, Credentials session_credentials);

  const Options options;
  const spec::Reference reference;
  const Credentials credentials;
  TrustStore trust;
  Transfers transfers;
  std::vector<Place> places;
  std::vector<std::string> scopes;  ///< of tokens
};

class RegistryRepository final : public Repository {
 public:
  explicit RegistryRepository(std::shared_ptr<Session> session) : session_{std::move(session)} {}
  /// Finds the first place that answers.
  base::Result<> connect(const std::stop_token& stop);

  const std::string& endpoint() const override { return current()->place().url; }
  base::Result<FetchedManifest> manifest(const std::string& tag_or_digest, std::stop_token stop) override;
  base::Result<std::vector<std::string>> tags(std::stop_token stop) override;
  base::Result<std::vector<spec::Descriptor>> referrers(const base::Digest& subject,
                                                        const std::string& artifact_type,
                                                        std::stop_token stop) override;
  base::Result<spec::Descriptor> describe_manifest(const std::string& tag_or_digest,
                                                   std::stop_token stop) override;
  base::Result<std::string> read_blob(const spec::Descriptor& blob, std::size_t limit,
                                      std::stop_token stop) override;
  base::Result<std::unique_ptr<base::ByteSource>> open_blob(const spec::Descriptor& blob,
                                                            std::uint64_t offset, std::stop_token stop,
                                                            RetryObserver* observer) override;
  base::Result<PushedBlob> push_blob(const spec::Descriptor& blob, const std::vector<std::string>& mount_from,
                                     BlobReader& reader, std::stop_token stop,
                                     PushObserver* observer) override;
  base::Result<base::Digest> push_manifest(const std::string& tag_or_digest, const std::string& media_type,
                                           const std::string& bytes, std::stop_token stop) override;

 private:
  base::Result<> connect_locked(const std::stop_token& stop);
  base::Result<FetchedManifest> fetch_manifest(const std::string& tag_or_digest, std::stop_token stop);
  base::Result<Response> request_manifest(const std::string& method, const std::string& tag_or_digest,
                                          const std::vector<std::string>& headers, std::stop_token stop,
                                          const Payload& payload = {});
  /// With retries. `target`: as Endpoint::send has it.
  base::Result<Response> request(const std::string& method, const std::string& target,
                                 const std::vector<std::string>& headers, const std::stop_token& stop,
                                 const Payload& payload = {});

  /// Where a blob is looked for that `failed` does not have; nullptr if nowhere.
  std::shared_ptr<Endpoint> endpoint_after(const Endpoint& failed, const std::stop_token& stop);
  [[nodiscard]] std::shared_ptr<Endpoint> current() const;

  std::shared_ptr<Session> session_;
  mutable std::mutex mutex_;  // guards all below
  std::size_t next_place_ = 0;
  /// Those that were used, the current one last; shared with the blobs that come from them.
  std::vector<std::shared_ptr<Endpoint>> endpoints_;
};

}  // namespace distribution::detail
