#pragma once
/// Images: pull, push, load, save, list, tag, remove, over the blob store, the snapshotter and the records.
///
/// An image's id is the digest of its config. What the records hold of it: the config and manifest
/// blobs, its layers (one snapshot per chain id), and its references: tags "docker.io/library/x:1" and
/// digests "docker.io/library/x@sha256:…". The layout's index.json follows each change.
///
/// Life of a layer: it is downloaded and unpacked as one stream, in parallel with the others, under a
/// pin on its chain id. The image's record is committed when all its blobs and snapshots are durable;
/// then the pins go. What neither a record nor a pin nor a snapshot above needs is removed by `remove`
/// and `collect`. A process that dies in the middle leaves partial blobs, which the next pull resumes,
/// and layers without an image, which `collect` finds.
///
/// Threads: any, for all functions. No lock is held while bytes move.
/// Errors carry docker's wording: NotFound "No such image: x:latest", Conflict "conflict: unable to …",
/// InvalidArgument "invalid reference format…".

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/digest.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "content/store.h"
#include "distribution/client.h"
#include "snapshot/snapshotter.h"
#include "spec/engine/image.h"
#include "spec/oci_image.h"
#include "spec/reference.h"
#include "state/database.h"

namespace image {

namespace detail {
struct Core;
class Pin;
}  // namespace detail

/// Receives progress; called from several threads, one at a time.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void message(const spec::api::ProgressMessage& message) = 0;
};

/// A container that was made from an image.
struct ImageUser {
  std::string container_id;
  bool running = false;
};
/// Who uses an image. The engine knows; called without any lock of this module held.
class ImageUsers {
 public:
  virtual ~ImageUsers() = default;
  [[nodiscard]] virtual std::vector<ImageUser> users_of(const base::Digest& image_id) const = 0;
  /// Everyone who has a writable snapshot, by its key.
  [[nodiscard]] virtual std::vector<std::string> snapshot_owners() const = 0;
};

/// docker's filters: name → values.
using Filters = std::map<std::string, std::vector<std::string>>;

/// What becomes of a layer's blob once it is unpacked.
enum class LayerBlobs : std::uint8_t {
  Keep,
  /// Goes when it can be made again from the unpacked layer, to the byte: layers that came as plain tar.
  DropRebuildable,
};

struct Options {
  LayerBlobs layer_blobs = LayerBlobs::DropRebuildable;
  /// Directory of built-in image archives (*.tar), "" for none.
  std::string builtin_path;
  int max_concurrent_downloads = 3;
  int max_concurrent_uploads = 5;
  distribution::Options registries;
};

struct PullRequest {
  /// With a tag or a digest; a bare name means all tags.
  spec::Reference reference;
  /// "linux/arm64/v8"; "" for this machine's.
  std::string platform;
  distribution::Credentials credentials;
};

struct PushRequest {
  /// With a tag, or without one: all tags of the repository.
  spec::Reference reference;
  /// "linux/arm64": the image for that, and no index; "": the index where all of it is here, else the image.
  std::string platform;
  distribution::Credentials credentials;
};

struct Pushed {
  std::string tag;
  base::Digest image_id;
  base::Digest digest;     ///< of the manifest
  std::uint64_t size = 0;  ///< of the manifest
};

struct InspectOptions {
  std::string platform;  ///< "" for what the name stands for
  bool manifests = false;
  const ImageUsers* users = nullptr;  ///< asked for `manifests`
};

struct AttestationOptions {
  std::string platform;
  std::vector<std::string> types;  ///< predicate types; empty: all
  bool statement = false;          ///< with the statements themselves
};

struct ListOptions {
  bool all = false;
  bool manifests = false;
  const ImageUsers* users = nullptr;  ///< asked for `manifests`
  /// dangling, label, reference, before, since, until. Errors: InvalidArgument "invalid filter 'x'".
  Filters filters;
};

/// What `create` needs of an image.
struct Image {
  base::Digest id;
  spec::ImageConfig config;
  /// Key of the topmost layer's snapshot, the parent for Snapshotter::prepare; "" without layers.
  std::string top_layer;
  std::uint64_t size = 0;                            ///< bytes of all files of all layers
  std::vector<std::string> repo_tags, repo_digests;  ///< familiar form, sorted
};

/// Keeps an image's layers from being removed while a container is made of them.
class Hold {
 public:
  Hold(Hold&&) noexcept;
  Hold& operator=(Hold&&) noexcept;
  ~Hold();
  [[nodiscard]] const Image& image() const { return image_; }

 private:
  friend class Store;
  Hold(Image image, std::unique_ptr<detail::Pin> pin);
  Image image_;
  std::unique_ptr<detail::Pin> pin_;
};

/// An image made of another one and what a container changed.
struct CommitRequest {
  base::Digest parent;
  spec::api::ContainerConfig config;
  std::string author, comment;
  std::string created_by;               ///< for the history
  std::optional<spec::Reference> name;  ///< with a tag; it may be another image's until now
};

/// An image made of a file tree.
struct ImportRequest {
  std::string source;  ///< an URL that is fetched, where no archive is given
  spec::api::ContainerConfig config;
  std::string comment;
  std::string platform;                 ///< "" for this machine's
  std::optional<spec::Reference> name;  ///< with a tag; it may be another image's until now
};

/// What changed, for the engine's events.
struct Removed {
  std::vector<spec::api::ImageDeleteItem> items;  ///< in docker's order
  base::Digest id;                                ///< of the image
};

struct PruneOptions {
  /// Every image that no container uses; else only those without a tag.
  bool all = false;
  /// until, label, label!
  Filters filters;
  /// Spares the newest images of each repository; 0: none.
  std::uint64_t keep_last = 0;
  /// Spares what was pulled, loaded, run or started since then; 0: nothing.
  std::chrono::seconds unused_for{0};
  /// Only says what would go.
  bool dry_run = false;
};

struct Pruned {
  std::vector<Removed> removed;
  std::vector<spec::api::ImageDeleteItem> layers;
  std::uint64_t bytes = 0;  ///< of files and blobs that are gone from the disk
};

struct CheckOptions {
  bool repair = false;
  /// Don't read the blobs; their presence and size only.
  bool quick = false;
  /// What is younger and that nothing needs may be somebody's work under way.
  std::chrono::seconds grace{3600};
};

/// Where the records and the disk disagree.
struct Finding {
  std::string kind;     ///< "missing-blob", "damaged-blob", …: the table in the module's README
  std::string subject;  ///< "sha256:…", a container's id, a folder
  std::string problem;  ///< what is wrong
  std::string remedy;   ///< what a repair does, did, or what is left to the user
  bool repaired = false;
  std::uint64_t bytes = 0;  ///< on the disk that nothing needs
};

struct CheckReport {
  std::vector<Finding> findings;
  std::uint64_t images = 0, layers = 0, snapshots = 0, blobs = 0;  ///< looked at
};

/// Bytes on the disk, by what they are for: together all of content/ and snapshots/.
struct DiskSpace {
  std::uint64_t blobs = 0;     ///< with the layout's own files
  std::uint64_t ingests = 0;   ///< downloads under way or to be resumed
  std::uint64_t layers = 0;    ///< unpacked, and being unpacked
  std::uint64_t writable = 0;  ///< containers' own
  std::uint64_t removing = 0;  ///< reclaimable, being removed in the background
};

/// For `docker system df`.
struct DiskUsage {
  std::uint64_t layers = 0;  ///< bytes of all layers, each counted once
  /// As `list` has them, with the bytes of layers that other images have as well.
  std::vector<spec::api::ImageSummary> images;
};

class Store {
 public:
  /// The collaborators outlive the store. Brings index.json up to date and collects what a crash left.
  static base::Result<std::unique_ptr<Store>> open(state::Database& database, content::Store& content,
                                                   snapshot::Snapshotter& snapshotter, Options options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Takes the limits and the registries; for transfers that begin from here on. Errors: InvalidArgument; then nothing
  /// has changed.
  base::Result<> reconfigure(const Options& options);

  // -- reading ------------------------------------------------------------------------------------

  /// By name ("x", "x:tag", "x@sha256:…"), id ("sha256:…", 64 hex digits) or a unique prefix of one.
  base::Result<Image> get(const std::string& ref) const;
  /// As `get`, and nothing of it is removed while the Hold lives. Prepare the container's snapshot on
  /// `image().top_layer` under it.
  /// `platform`: of the images under one name that for it; where there is none, what the name stands for.
  base::Result<Hold> hold(const std::string& ref, const std::string& platform = {});
  /// Newest first.
  base::Result<std::vector<spec::api::ImageSummary>> list(const ListOptions& options) const;
  base::Result<spec::api::ImageInspect> inspect(const std::string& ref, const InspectOptions& options = {}) const;
  base::Result<std::vector<spec::api::ImageHistoryItem>> history(const std::string& ref,
                                                                 const std::string& platform = {}) const;
  /// in-toto statements about the image, of its index. Errors: NotFound.
  base::Result<std::vector<spec::api::AttestationStatement>> attestations(const std::string& ref,
                                                                          const AttestationOptions& options) const;
  base::Result<DiskUsage> disk_usage() const;
  base::Result<DiskSpace> disk_space() const;
  /// For `docker info`.
  base::Result<std::uint64_t> count() const;

  // -- changing -----------------------------------------------------------------------------------

  /// Pulls, or takes the built-in image where no registry can be reached. The id of the image.
  /// Errors: NotFound (manifest or repository), Unauthorized, Unavailable (no registry answers),
  /// InvalidArgument (wrong digest, a malformed image, refused layer), Internal (disk full, …).
  base::Result<base::Digest> pull(const PullRequest& request, ProgressSink& progress, std::stop_token stop);

  /// Sends what the registry lacks: layers as they are stored, so that digests stay what they were; then
  /// the config and the manifest. The image's digest in that repository becomes one of its names.
  /// Errors: NotFound (no such tag), Unauthorized ("denied: …", "unauthorized: …"), Unavailable.
  base::Result<std::vector<Pushed>> push(const PushRequest& request, ProgressSink& progress,
                                         std::stop_token stop);

  struct Loaded {
    base::Digest id;
    std::vector<std::string> tags;  ///< familiar; empty: loaded by id
  };
  /// Docker archive (also of docker ≤ 1.9), OCI archive, or both in one; plain, gzip or zstd. The
  /// stream is read once, front to back, to its end.
  /// `platforms`: of an index with several, those; empty: all that are in the archive.
  base::Result<std::vector<Loaded>> load(base::ByteSource& archive, bool quiet, ProgressSink& progress,
                                         std::stop_token stop = {}, const std::vector<std::string>& platforms = {});
  /// A name without a tag saves all tags of its repository, an id none. Nothing is written before all
  /// were found.
  /// `platforms`: as with load; empty: all that are here.
  base::Result<> save(const std::vector<std::string>& refs, base::ByteSink& archive,
                      const std::vector<std::string>& platforms = {}) const;

  /// The id of the image. Errors: NotFound, InvalidArgument.
  base::Result<base::Digest> tag(const std::string& ref, const std::string& repository,
                                 const std::string& tag);
  /// `write_layer` writes the new layer as plain OCI tar, and says whether there is anything in it; without, the
  /// image has its parent's layers only. The id of the image. Errors: NotFound (the parent).
  base::Result<base::Digest> commit(const CommitRequest& request,
                                    base::FunctionRef<base::Result<bool>(base::ByteSink& tar)> write_layer);
  /// `archive`: a tar, plain, gzip or zstd; null: it is fetched. The id of the image. Errors: InvalidArgument (no
  /// tar, a compression that is not read, a platform that is none), those of the URL.
  base::Result<base::Digest> import(const ImportRequest& request, base::ByteSource* archive,
                                    ProgressSink& progress, std::stop_token stop);
  /// docker's rules: a name untags and deletes with the last name, an id deletes.
  base::Result<Removed> remove(const std::string& ref, bool force, bool prune_parents,
                               const ImageUsers& users);
  /// Removes images that are not needed, then what only they needed. One that comes into use meanwhile
  /// stays.
  base::Result<Pruned> prune(const PruneOptions& options, const ImageUsers& users);
  /// Removes unused images, those first that were not used for longest, until files and blobs take no more
  /// than `budget` bytes. `keep` and what a container was made of stay, even if that is not enough.
  base::Result<Pruned> evict(std::uint64_t budget, const base::Digest& keep, const ImageUsers& users);
  /// Removes layers and blobs that nothing needs any more: after the container of a removed image is
  /// gone. Cheap when there is nothing to do.
  base::Result<> collect();
  /// Compares records, blobs and folders, and repairs what can be: work that goes on meanwhile is no
  /// finding. What is lost for good goes with its image, unless a container was made of it.
  base::Result<CheckReport> check(const CheckOptions& options, const ImageUsers& users);
  /// Waits until blobs that are to be dropped are gone (tests, system df).
  void wait_for_drops();
  /// The image is used now: a container of it starts.
  base::Result<> touch(const base::Digest& id);

  /// The client that pull and push use.
  [[nodiscard]] distribution::Client& registries();

 private:
  explicit Store(std::unique_ptr<detail::Core> core);
  std::unique_ptr<detail::Core> core_;
};

}  // namespace image
