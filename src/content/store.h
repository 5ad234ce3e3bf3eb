#pragma once
/// Blobs by digest, as an OCI image layout on disk:
///
///   <root>/oci-layout                     {"imageLayoutVersion": "1.0.0"}
///   <root>/index.json                     what `set_index` was given
///   <root>/blobs/sha256/<hex>             a blob, 0444, never changed once it has this name
///   <root>/ingest/sha256-<hex>            a download under way, or one to be resumed
///   <root>/ingest/new-<random>            a blob whose digest is not known yet; useless after a crash
///
/// A blob appears under its name as a whole, verified and fsynced, or not at all. So `has` is enough
/// to rely on a blob, and skopeo, umoci or buildah may read the folder at any time.
///
/// The life of a blob: `ingest` (or `write_blob`) makes it; a `Lease` keeps it until a record that
/// needs it is committed; `collect` removes what neither a record nor a lease needs.
///
/// Digests: sha256. Another algorithm is NotImplemented.
/// Threads: any, for Store and Lease; one for an Ingest. Several processes may ingest at once.
/// Source: OCI image specification 1.1, image-layout.md.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/byte_stream.h"
#include "base/digest.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "base/time.h"
#include "codec/json.h"
#include "sys/fd.h"

namespace content {

class Store;

struct BlobInfo {
  base::Digest digest;
  std::uint64_t size = 0;
  base::Time stored;
};

/// A row of index.json. `platform` is left out when it is null.
struct IndexEntry {
  std::string media_type;
  base::Digest digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations;
  codec::Json platform;
};
/// The tag that `skopeo inspect oci:<root>:<name>` looks for, and the full reference as containerd
/// and `ctr` write it.
inline constexpr std::string_view kRefNameAnnotation = "org.opencontainers.image.ref.name";
inline constexpr std::string_view kImageNameAnnotation = "io.containerd.image.name";

/// Keeps blobs from `Store::collect` as long as it lives: take one before a pull, build or import,
/// add each digest *before* asking `has`, drop it when the image's record is committed.
class Lease {
 public:
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();
  void add(const base::Digest& digest);

 private:
  friend class Store;
  struct Hold;
  explicit Lease(std::unique_ptr<Hold> hold);
  std::unique_ptr<Hold> hold_;
};

/// One blob on its way in. Dropped without `commit`, one with a known digest keeps what it has for a
/// later `ingest` to resume; one without is removed.
class Ingest final : public base::ByteSink {
 public:
  Ingest(Ingest&&) noexcept;
  Ingest& operator=(Ingest&&) noexcept;
  ~Ingest() override;

  /// The blob is in the store already (perhaps another thread just finished it): nothing to write.
  [[nodiscard]] bool complete() const;
  /// Bytes that are here, all of them read back and hashed: where a resumed download goes on.
  [[nodiscard]] std::uint64_t offset() const;
  /// Those bytes, for a reader that wants the whole blob while it still comes in.
  base::Result<std::unique_ptr<base::ByteSource>> written() const;
  /// Appends. Errors: InvalidArgument past the expected size, Internal with errno_value ENOSPC
  /// (what was written is removed then, to give the space back).
  base::Result<> write(std::string_view bytes) override;
  /// Forgets all bytes: the peer can't resume.
  base::Result<> restart();
  /// Verifies size and digest, fsyncs, and gives the blob its name. The digest of the blob.
  /// Errors: InvalidArgument "digest mismatch: wanted …, got …": nothing is stored and the bytes are
  /// removed; Unavailable when bytes are missing: those that are here wait to be resumed.
  base::Result<base::Digest> commit();
  /// Removes what was written.
  void abort();

 private:
  friend class Store;
  struct State;
  explicit Ingest(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Store {
 public:
  static constexpr std::uint64_t kUnknownSize = UINT64_MAX;

  /// Opens or creates the layout at `root`; useless leftovers of a crash are removed.
  static base::Result<std::unique_ptr<Store>> open(const std::string& root);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  base::Result<bool> has(const base::Digest& digest) const;
  /// Errors of these four: NotFound "blob sha256:… not found".
  base::Result<BlobInfo> stat(const base::Digest& digest) const;
  base::Result<sys::UniqueFd> open_blob(const base::Digest& digest) const;
  base::Result<std::unique_ptr<base::ByteSource>> source(const base::Digest& digest,
                                                         std::uint64_t offset = 0) const;
  /// The whole blob, hashed again, for manifests and configs. Errors: InvalidArgument past `limit`
  /// bytes, Internal "blob … is damaged on disk".
  base::Result<std::string> read(const base::Digest& digest, std::size_t limit = std::size_t{8} << 20U) const;
  /// Reads a blob and hashes it again. Errors: Internal "blob … is damaged on disk".
  base::Result<> verify(const base::Digest& digest) const;
  base::Result<std::vector<BlobInfo>> list() const;
  /// Nothing there is success.
  base::Result<> remove(const base::Digest& digest);

  /// Removes a blob that no lease holds, if `agreed` says so; nobody can take a lease on it meanwhile, and who had
  /// one has committed its record. `agreed` reads records only. Whether it went.
  base::Result<bool> remove_unleased(const base::Digest& digest, base::FunctionRef<base::Result<bool>()> agreed);

  /// Begins or resumes the blob `digest` of `size` bytes. While another thread or process has it in
  /// work, waits for that one: then either the Ingest is `complete`, or it goes on where that one
  /// stopped. Errors: Unavailable when `stop` was requested while waiting.
  base::Result<Ingest> ingest(const base::Digest& digest, std::uint64_t size = kUnknownSize,
                              std::stop_token stop = {});
  /// Begins a blob whose digest `commit` will tell.
  base::Result<Ingest> ingest_new();
  /// Stores a small blob; one that is there already is left alone.
  base::Result<base::Digest> write_blob(std::string_view bytes);

  /// Replaces index.json as a whole.
  base::Result<> set_index(const std::vector<IndexEntry>& entries);
  base::Result<std::vector<IndexEntry>> index() const;

  [[nodiscard]] Lease lease();

  /// What lies in ingest/ and nobody writes: a download to be resumed, or useless.
  struct Leftover {
    std::string name;
    std::uint64_t bytes = 0;
    base::Time changed;
    /// No later ingest can use it: its digest is not known, or its blob is here.
    bool useless = false;
  };
  base::Result<std::vector<Leftover>> leftovers() const;
  /// Nothing there, or somebody writes it again, is success.
  base::Result<> remove_leftover(const std::string& name);

  /// Bytes on the disk, by what they are for.
  struct Space {
    std::uint64_t blobs = 0;
    std::uint64_t ingests = 0;
    std::uint64_t other = 0;  ///< index.json and the folders
  };
  base::Result<Space> space() const;

  struct Collected {
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
  };
  using Roots = std::unordered_set<base::Digest>;
  /// Removes each blob that is not in `roots()`, not leased and older than `grace`; and partial
  /// downloads older than `grace`. `roots` is called once, after leases are being watched, so that a
  /// blob whose record is committed meanwhile is never lost. A `grace` of hours lets an interrupted
  /// pull find its finished layers again. Ingests go on meanwhile.
  base::Result<Collected> collect(base::FunctionRef<base::Result<Roots>()> roots,
                                  std::chrono::seconds grace = std::chrono::hours{0});

  [[nodiscard]] const std::string& root() const;

 private:
  friend class Ingest;
  friend class Lease;
  struct State;
  explicit Store(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace content
