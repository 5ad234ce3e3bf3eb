#pragma once
/// The Engine API, typed. `Client` is the connection: version negotiation, errors, streams, and what
/// concerns the daemon itself; the nouns are in containers.h, execs.h and images.h, each a cheap view
/// of a Client:
///
///   auto client = TRY(client::Client::open(client::target_from_environment()));
///   auto id = TRY(client::Containers{*client}.create(options)).id;
///
/// Errors, everywhere in this module:
///   * What the daemon answered: "Error response from daemon: <its message>", complete, as docker's
///     client library words it, with the kind that the status stands for (404 NotFound, 409 Conflict,
///     400 InvalidArgument, 401 Unauthorized, 403 PermissionDenied, 501 NotImplemented, 503
///     Unavailable, else Internal). Print it as it is.
///   * No daemon: Unavailable, "Cannot connect to the Docker daemon at <host>. Is the docker daemon
///     running?", with the errno; `is_connection_failure` tells it apart.
///   * A socket that may not be opened: PermissionDenied, "permission denied while trying to connect …".
///   * 304 (it runs already, it does not run) is a success, as docker has it.
///
/// Threads: any. Nothing is sent before the first call.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_stream.h"
#include "base/result.h"
#include "client/json_stream.h"
#include "client/target.h"
#include "codec/describe.h"
#include "http/client.h"
#include "spec/engine/container_state.h"
#include "spec/engine/system.h"

namespace client {

/// The newest version this client speaks.
inline constexpr std::string_view kApiVersion = "1.51";

/// docker's filters: name → values.
using Filters = std::map<std::string, std::vector<std::string>>;
/// The JSON of the `filters` parameter; "" for none.
[[nodiscard]] std::string encode_filters(const Filters& filters);

struct Ping {
  std::string api_version, os_type, builder_version, server;
  bool experimental = false;
};

struct EventsOptions {
  std::string since, until;  ///< Unix seconds with a fraction, or RFC 3339
  Filters filters;
};

/// One request in the API's terms: the path without its version.
struct ApiCall {
  std::string method = "GET";
  std::string path;  ///< encoded: "/containers/json"
  http::Query query;
  http::Headers headers;
  std::optional<codec::Json> body;
  base::ByteSource* stream = nullptr;  ///< a body that is a tar
  bool upgrade = false;
};

/// A connection taken over by attach or exec.
struct RawStream {
  sys::UniqueFd socket;  ///< blocking; shut its write side down to end the container's stdin
  std::string prefix;    ///< output that came with the head
  /// Frames with 8-byte headers (stdout and stderr apart). From the content type; API versions below
  /// 1.42 never say so: there, it is so unless the container has a terminal.
  std::optional<bool> multiplexed;
};

class Client {
 public:
  /// Errors: those of endpoint_of. Connects to nothing yet.
  /// `headers` go with every request, beside User-Agent.
  static base::Result<std::unique_ptr<Client>> open(const Target& target, std::string user_agent = "caisson",
                                                    http::Headers headers = {});

  [[nodiscard]] const std::string& host() const { return host_; }
  /// "1.51": what both sides speak; asks the daemon the first time.
  base::Result<std::string> api_version();

  base::Result<Ping> ping();
  base::Result<spec::api::SystemVersion> version();
  base::Result<spec::api::SystemInfo> info();
  base::Result<JsonStream<spec::api::Event>> events(const EventsOptions& options);

  /// For the nouns, and for routes that have no method here. A status of 400 and more is an error.
  base::Result<std::unique_ptr<http::Reply>> call(const ApiCall& call);
  /// The answer's body, whole.
  base::Result<std::string> text(const ApiCall& call);
  base::Result<codec::Json> json(const ApiCall& call);
  template <class T>
  base::Result<T> get(const ApiCall& call) {
    return codec::from_json<T>(TRY(json(call)));
  }
  /// For answers without a body.
  base::Result<> done(const ApiCall& call);
  /// "/containers/prune", "/images/prune", …: the report.
  /// `dry_run` (images only) asks what would go.
  base::Result<codec::Json> prune(const std::string& path, const Filters& filters, bool dry_run = false);
  base::Result<RawStream> raw_stream(ApiCall call);
  /// A connection to the daemon on which nothing was said yet. Errors: as the transport has them.
  base::Result<sys::UniqueFd> dial() { return http_.dial(); }

 private:
  Client(http::Endpoint endpoint, std::string host, std::string pinned, http::Headers headers);
  base::Result<std::unique_ptr<http::Reply>> send(const http::Call& call);

  std::string host_;
  http::Client http_;
  std::mutex mutex_;     // guards version_
  std::string version_;  ///< "" until it is negotiated
};

[[nodiscard]] bool is_connection_failure(const base::Error& error);

/// Whether frames with headers come, by the Content-Type of a log or attach answer.
[[nodiscard]] std::optional<bool> multiplexed_by(const http::Headers& headers);

}  // namespace client
