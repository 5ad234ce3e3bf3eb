#pragma once
/// What the API says about images. Source: the API's swagger, ImageSummary, ImageInspect.

#include "spec/engine/container_state.h"
#include "spec/oci_image.h"

namespace spec::api {

/// A manifest of an image's index (API 1.47).
struct ManifestSize {
  std::int64_t content = 0, total = 0;
};
void describe(auto& v, ManifestSize& s) {
  v("Content", s.content);
  v("Total", s.total);
}
struct UnpackedSize {
  std::int64_t unpacked = 0;
};
void describe(auto& v, UnpackedSize& s) { v("Unpacked", s.unpacked); }
struct ManifestImageData {
  Platform platform;
  StringList containers;
  UnpackedSize size;
};
void describe(auto& v, ManifestImageData& d) {
  v("Platform", d.platform);
  v("Containers", d.containers);
  v("Size", d.size);
}
struct ManifestAttestationData {
  std::string subject;
};
void describe(auto& v, ManifestAttestationData& d) { v("For", d.subject); }
struct ManifestSummary {
  std::string id;
  Descriptor descriptor;
  bool available = false;
  ManifestSize size;
  std::string kind;  ///< "image", "attestation", "unknown"
  std::optional<ManifestImageData> image;
  std::optional<ManifestAttestationData> attestation;
};
void describe(auto& v, ManifestSummary& m) {
  v("ID", m.id);
  v("Descriptor", m.descriptor);
  v("Available", m.available);
  v("Size", m.size);
  v("Kind", m.kind);
  v.opt("ImageData", m.image);
  v.opt("AttestationData", m.attestation);
}

/// An in-toto statement about an image (API 1.55).
struct AttestationStatement {
  Descriptor descriptor;
  std::string predicate_type;
  Json statement;
};
void describe(auto& v, AttestationStatement& s) {
  v("Descriptor", s.descriptor);
  v("PredicateType", s.predicate_type);
  v.opt("Statement", s.statement);
}

struct ImageSummary {
  std::string id, parent_id;
  StringList repo_tags, repo_digests;
  std::int64_t created = 0;  ///< Unix seconds
  std::int64_t size = 0, shared_size = -1, containers = -1;
  std::optional<std::int64_t> virtual_size;  ///< up to API 1.43
  std::optional<Labels> labels;
  std::optional<Descriptor> descriptor;                     ///< from API 1.48 on
  std::optional<std::vector<ManifestSummary>> manifests;    ///< where they are asked for
};
void describe(auto& v, ImageSummary& i) {
  v("Id", i.id);
  v("ParentId", i.parent_id);
  v("RepoTags", i.repo_tags);
  v("RepoDigests", i.repo_digests);
  v("Created", i.created);
  v("Size", i.size);
  v("SharedSize", i.shared_size);
  v.opt("VirtualSize", i.virtual_size);
  v("Labels", i.labels);
  v("Containers", i.containers);
  v.opt("Descriptor", i.descriptor);
  v.opt("Manifests", i.manifests);
}

struct RootFs {
  std::string type = "layers";
  StringList layers;
};
void describe(auto& v, RootFs& r) {
  v("Type", r.type);
  v.opt("Layers", r.layers);
}
struct ImageMetadata {
  std::string last_tag_time;
};
void describe(auto& v, ImageMetadata& m) { v("LastTagTime", m.last_tag_time); }

struct ImageInspect {
  std::string id;
  StringList repo_tags, repo_digests;
  std::string parent, comment, created, docker_version, author;
  ContainerConfig config;
  std::string architecture, variant, os;
  std::int64_t size = 0;
  std::optional<std::int64_t> virtual_size;
  DriverData graph_driver;
  RootFs root_fs;
  ImageMetadata metadata;
  std::optional<Descriptor> descriptor;                     ///< from API 1.48 on
  std::optional<std::vector<ManifestSummary>> manifests;    ///< where they are asked for
};
void describe(auto& v, ImageInspect& i) {
  v("Id", i.id);
  v("RepoTags", i.repo_tags);
  v("RepoDigests", i.repo_digests);
  v("Parent", i.parent);
  v("Comment", i.comment);
  v("Created", i.created);
  v("DockerVersion", i.docker_version);
  v("Author", i.author);
  v("Config", i.config);
  v("Architecture", i.architecture);
  v.opt("Variant", i.variant);
  v("Os", i.os);
  v("Size", i.size);
  v.opt("VirtualSize", i.virtual_size);
  v("GraphDriver", i.graph_driver);
  v("RootFS", i.root_fs);
  v("Metadata", i.metadata);
  v.opt("Descriptor", i.descriptor);
  v.opt("Manifests", i.manifests);
}

struct ImageHistoryItem {
  std::string id;
  std::int64_t created = 0;
  std::string created_by;
  std::optional<StringList> tags;
  std::int64_t size = 0;
  std::string comment;
};
void describe(auto& v, ImageHistoryItem& h) {
  v("Id", h.id);
  v("Created", h.created);
  v("CreatedBy", h.created_by);
  v("Tags", h.tags);
  v("Size", h.size);
  v("Comment", h.comment);
}

/// One of `{"Untagged": …}` and `{"Deleted": …}`.
struct ImageDeleteItem {
  std::string untagged, deleted;
};
void describe(auto& v, ImageDeleteItem& d) {
  v.opt("Untagged", d.untagged);
  v.opt("Deleted", d.deleted);
}

struct ProgressDetail {
  std::int64_t current = 0, total = 0;
};
void describe(auto& v, ProgressDetail& p) {
  v.opt("current", p.current);
  v.opt("total", p.total);
}
struct ErrorDetail {
  std::int64_t code = 0;
  std::string message;
};
void describe(auto& v, ErrorDetail& e) {
  v.opt("code", e.code);
  v("message", e.message);
}
/// One line of the stream that pull, push, load and build answer with (moby's jsonmessage).
struct ProgressMessage {
  std::string stream, status, progress;
  std::optional<ProgressDetail> progress_detail;
  std::string id, error;
  std::optional<ErrorDetail> error_detail;
  Json aux;
};
void describe(auto& v, ProgressMessage& m) {
  v.opt("stream", m.stream);
  v.opt("status", m.status);
  v.opt("progressDetail", m.progress_detail);
  v.opt("progress", m.progress);
  v.opt("id", m.id);
  v.opt("errorDetail", m.error_detail);
  v.opt("error", m.error);
  v.opt("aux", m.aux);
}

}  // namespace spec::api
