#pragma once
/// A blob's way into a repository.
/// Source: OCI distribution specification 1.1, "Pushing blobs", "Mounting a blob from another repository".

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "distribution/client.h"
#include "distribution/detail/endpoint.h"

namespace distribution::detail {

/// One blob, one thread. What the parameters refer to outlives it.
class BlobUpload {
 public:
  BlobUpload(Endpoint& endpoint, const Options& options, const spec::Descriptor& blob, BlobReader& reader,
             std::stop_token stop, PushObserver* observer)
      : endpoint_{endpoint},
        options_{options},
        blob_{blob},
        reader_{reader},
        stop_{std::move(stop)},
        observer_{observer} {}

  /// With retries. Errors: see Repository::push_blob.
  base::Result<PushedBlob> run(const std::vector<std::string>& mount_from);

 private:
  struct Answer {
    Response response;  ///< its body is in `body`
    std::string body;
  };

  base::Result<PushedBlob> attempt(const std::vector<std::string>& mount_from);
  base::Result<bool> exists();
  /// The repository that the blob was mounted from; "" when an upload was opened instead.
  base::Result<std::string> begin(const std::vector<std::string>& mount_from);
  /// How far the registry got before the connection broke. An upload that it forgot begins anew.
  base::Result<> locate();
  base::Result<> send_rest();
  base::Result<> finish();
  base::Result<Answer> ask(const std::string& method, const std::string& target,
                           const std::vector<std::string>& headers = {}, const Payload& payload = {});
  base::Result<Answer> send_stream(const std::string& method, const std::string& url,
                                   std::vector<std::string> headers);
  base::Result<> take_location(const Response& response);
  /// What an unwanted answer means, and how long the registry wants to be left alone.
  base::Error refusal(const Answer& answer);
  void forget();
  [[nodiscard]] std::string with_digest() const;

  Endpoint& endpoint_;
  const Options& options_;
  const spec::Descriptor& blob_;
  BlobReader& reader_;
  const std::stop_token stop_;
  PushObserver* observer_;
  std::string location_;      ///< of the upload under way, "" without one
  std::uint64_t offset_ = 0;  ///< so much is with the registry
  bool interrupted_ = false;  ///< offset_ is to be asked for
  bool token_refreshed_ = false;
  std::optional<std::chrono::milliseconds> wanted_delay_;
};

}  // namespace distribution::detail
