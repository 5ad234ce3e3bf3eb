#pragma once
/// What a Store, its Ingests and its Leases share.

#include <condition_variable>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/digest.h"
#include "content/store.h"
#include "sys/fd.h"

namespace content {

struct Store::State {
  std::string root;
  sys::UniqueFd root_dir;
  sys::UniqueFd blobs_dir;   // blobs/sha256
  sys::UniqueFd ingest_dir;  // ingest

  std::mutex index_mutex;  // one writer of index.json at a time

  std::mutex mutex;  // guards what follows; also held while `collect` removes one blob
  std::condition_variable_any ingest_ended;
  std::set<std::string> ingests;  // file names in ingest/ that this process has in work
  std::unordered_map<base::Digest, int> leased;
  int collecting = 0;
  // Released while a collect was running: its list of roots may be older than the record that the
  // lease was released for.
  std::unordered_set<base::Digest> released;

  /// File name of the blob in blobs/sha256. Errors: NotImplemented for another algorithm.
  static base::Result<std::string> name_of(const base::Digest& digest);
  base::Result<bool> has(const base::Digest& digest) const;

  /// Waits until no other thread has `name` in work and takes it. Errors: Unavailable (`stop`).
  base::Result<> begin_ingest(const std::string& name, std::stop_token stop);
  void end_ingest(const std::string& name);
};

struct Lease::Hold {
  std::shared_ptr<Store::State> store;
  std::unordered_set<base::Digest> digests;
};

struct Ingest::State {
  std::shared_ptr<Store::State> store;
  base::Digest expected;  // empty: not known
  std::uint64_t size = Store::kUnknownSize;
  std::string name;    // in ingest/
  bool held = false;   // `name` is in store->ingests
  sys::UniqueFd file;  // locked
  struct Progress;
  std::unique_ptr<Progress> progress;
  bool complete = false;

  State();
  ~State();
  base::Result<> open_file();
  void remove_file();
  /// Lets the next one have the digest.
  void release();
};

}  // namespace content
