#pragma once
/// What the data root's bytes are for, and the check of it. Not docker's: GET /system/df has the first as
/// "Disk", POST /system/fsck answers with the second.

#include <cstdint>
#include <string>
#include <vector>

#include "codec/describe.h"

namespace spec::api {

/// Bytes allocated on the disk.
struct DiskSpace {
  std::uint64_t blobs = 0;            ///< images as they were transferred
  std::uint64_t ingests = 0;          ///< downloads under way or to be resumed
  std::uint64_t layers = 0;           ///< images unpacked
  std::uint64_t writable = 0;         ///< what containers wrote
  std::uint64_t being_removed = 0;    ///< reclaimable: goes in the background
  std::uint64_t volumes = 0;
  std::uint64_t container_files = 0;  ///< logs, hosts, …
  std::uint64_t records = 0;          ///< the database and the folders themselves
  std::uint64_t total = 0;
};
void describe(auto& v, DiskSpace& s) {
  v("Blobs", s.blobs);
  v("Ingests", s.ingests);
  v("Layers", s.layers);
  v("Writable", s.writable);
  v("BeingRemoved", s.being_removed);
  v("Volumes", s.volumes);
  v("ContainerFiles", s.container_files);
  v("Records", s.records);
  v("Total", s.total);
}

struct FsckFinding {
  std::string kind, subject, problem, remedy;
  bool repaired = false;
  std::uint64_t bytes = 0;
};
void describe(auto& v, FsckFinding& f) {
  v("Kind", f.kind);
  v("Subject", f.subject);
  v("Problem", f.problem);
  v("Remedy", f.remedy);
  v("Repaired", f.repaired);
  v("Bytes", f.bytes);
}

struct FsckReport {
  std::vector<FsckFinding> findings;
  std::uint64_t images = 0, layers = 0, snapshots = 0, blobs = 0;
};
void describe(auto& v, FsckReport& r) {
  v("Findings", r.findings);
  v("Images", r.images);
  v("Layers", r.layers);
  v("Snapshots", r.snapshots);
  v("Blobs", r.blobs);
}

}  // namespace spec::api
