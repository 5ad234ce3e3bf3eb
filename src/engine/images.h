#pragma once
/// The images service: docker's image verbs over the `image` module, with events and with what only
/// the engine knows (which containers use an image). Safe from any thread; may block.

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/result.h"
#include "engine/containers.h"
#include "spec/engine/disk.h"
#include "spec/engine/image.h"

namespace engine {

/// Receives progress messages; called from several threads, one at a time.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void message(const spec::api::ProgressMessage& message) = 0;
};

/// Of X-Registry-Auth: never logged.
struct RegistryAuth {
  std::string username, password, server_address, identity_token, registry_token;
};

struct PullOptions {
  std::string reference;  ///< fromImage
  std::string tag;        ///< a tag or a digest; "": that of the reference, or all tags
  std::string platform;
  RegistryAuth auth;
};

struct ImportOptions {
  std::string source;  ///< fromSrc: "-" for the request's body, or an URL
  std::string repository, tag;
  std::string message, platform;
  std::vector<std::string> changes;
};

struct PushOptions {
  std::string reference;  ///< a name, also with a tag
  std::string tag;        ///< "": that of the reference, or all tags
  std::string platform;
  RegistryAuth auth;
};

struct ImageInspectOptions {
  std::string platform;
  bool manifests = false;
};

struct AttestationOptions {
  std::string platform;
  std::vector<std::string> types;
  bool statement = false;
};

struct ImagePruneReport {
  std::vector<spec::api::ImageDeleteItem> items;
  std::uint64_t bytes = 0;
};

struct FsckOptions {
  bool repair = false;
  bool quick = false;  ///< don't read the blobs
  /// What is younger and that nothing needs may be somebody's work under way.
  std::chrono::seconds grace{3600};
};

struct ImageDiskUsage {
  std::uint64_t layers = 0;  ///< bytes on the disk, blobs and unpacked layers
  std::vector<spec::api::ImageSummary> images;
};

class Images {
 public:
  virtual ~Images() = default;
  virtual base::Result<std::vector<spec::api::ImageSummary>> list(bool all, const Filters& filters,
                                                                  bool manifests = false) = 0;
  /// All images, with what they share and how many containers were made of each.
  virtual base::Result<ImageDiskUsage> disk_usage() = 0;
  virtual base::Result<spec::api::ImageInspect> inspect(const std::string& ref,
                                                        const ImageInspectOptions& options = {}) = 0;
  virtual base::Result<std::vector<spec::api::ImageHistoryItem>> history(const std::string& ref,
                                                                         const std::string& platform = {}) = 0;
  virtual base::Result<std::vector<spec::api::AttestationStatement>> attestations(
      const std::string& ref, const AttestationOptions& options) = 0;
  virtual base::Result<std::vector<spec::api::ImageDeleteItem>> remove(const std::string& ref, bool force,
                                                                       bool no_prune) = 0;
  /// Filters: dangling (default true), until, label, label!, and of our own keep-last (a number: spares the
  /// newest of each repository) and unused-for (a duration). keep-last alone means tagged images too.
  /// `dry_run` only says what would go. Errors: InvalidArgument "invalid filter 'x'".
  virtual base::Result<ImagePruneReport> prune(const Filters& filters, bool dry_run) = 0;
  /// Compares records and disk; repairs if asked to.
  virtual base::Result<spec::api::FsckReport> check(const FsckOptions& options) = 0;
  virtual base::Result<> tag(const std::string& ref, const std::string& repository, const std::string& tag) = 0;
  /// An error that happens before the first message is the result; a later one too, and the caller
  /// puts it on the stream.
  virtual base::Result<> pull(const PullOptions& options, ProgressSink& progress, std::stop_token stop) = 0;
  /// `archive` is read where the source is "-". Errors as with pull.
  virtual base::Result<> import(const ImportOptions& options, base::ByteSource& archive, ProgressSink& progress,
                                std::stop_token stop) = 0;
  /// Errors as with pull.
  virtual base::Result<> push(const PushOptions& options, ProgressSink& progress, std::stop_token stop) = 0;
  /// Docker archive or OCI archive, compressed or not.
  /// `platforms`: of images with several, those; empty: all.
  virtual base::Result<> load(base::ByteSource& archive, bool quiet, ProgressSink& progress,
                              const std::vector<std::string>& platforms = {}) = 0;
  /// A docker archive that is an OCI layout too, as docker ≥ 25 writes it.
  virtual base::Result<> save(const std::vector<std::string>& refs, base::ByteSink& archive,
                              const std::vector<std::string>& platforms = {}) = 0;
};

}  // namespace engine
