#pragma once
/// For tests: a store with all that is below it in a folder of its own, images made on the spot, and a
/// registry in memory that has them.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "codec/compression.h"
#include "codec/sha256.h"
#include "codec/tar.h"
#include "distribution/testing/fake_server.h"
#include "image/store.h"
#include "sys/file.h"

namespace image::testing {

using Files = std::map<std::string, std::string>;

inline std::string layer_tar(const Files& files) {
  base::StringSink sink;
  codec::TarWriter tar{sink};
  for (const auto& [path, content] : files) {
    codec::TarEntry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.size = content.size();
    EXPECT_TRUE(tar.add(entry));
    EXPECT_TRUE(tar.write(content));
  }
  EXPECT_TRUE(tar.finish());
  return std::move(sink.text);
}

inline std::string compressed(const std::string& bytes, codec::Compression compression) {
  base::StringSink sink;
  const auto compressor = codec::compress(sink, compression);
  EXPECT_TRUE(compressor->write(bytes));
  EXPECT_TRUE(compressor->finish());
  return std::move(sink.text);
}

inline std::string noise(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& c : bytes) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return bytes;
}

/// An image with everything that a registry or an archive needs.
struct TestImage {
  std::vector<std::string> tars;   ///< uncompressed layers
  std::vector<std::string> blobs;  ///< as they are transferred
  std::string config, manifest;
  std::string media_type{spec::media::kOciManifest};

  [[nodiscard]] base::Digest id() const { return codec::sha256(config); }
  [[nodiscard]] base::Digest digest() const { return codec::sha256(manifest); }
};

struct ImageOptions {
  codec::Compression compression = codec::Compression::Gzip;
  std::string created = "2024-01-02T03:04:05Z";
  std::string architecture = "amd64";
  std::map<std::string, std::string> labels;
};

inline TestImage make_image(const std::vector<Files>& layers, const ImageOptions& options = {}) {
  TestImage image;
  spec::ImageConfig config;
  spec::Manifest manifest;
  manifest.media_type = image.media_type;
  for (const auto& files : layers) {
    image.tars.push_back(layer_tar(files));
    image.blobs.push_back(options.compression == codec::Compression::None
                              ? image.tars.back()
                              : compressed(image.tars.back(), options.compression));
    config.rootfs.diff_ids.push_back(codec::sha256(image.tars.back()).str());
    spec::HistoryEntry entry;
    entry.created = options.created;
    entry.created_by = "layer " + std::to_string(config.history.size());
    config.history.push_back(entry);
    const auto type = options.compression == codec::Compression::Gzip   ? spec::media::kOciLayerGzip
                      : options.compression == codec::Compression::Zstd ? spec::media::kOciLayerZstd
                                                                        : spec::media::kOciLayer;
    manifest.layers.push_back(
        spec::Descriptor::of(type, codec::sha256(image.blobs.back()), image.blobs.back().size()));
  }
  config.architecture = options.architecture;
  config.os = "linux";
  config.created = options.created;
  config.config.cmd = {"/bin/sh"};
  config.config.env = {"PATH=/bin"};
  if (!options.labels.empty()) config.config.labels = options.labels;
  image.config = config.dump();
  manifest.config = spec::Descriptor::of(spec::media::kOciConfig, image.id(), image.config.size());
  image.manifest = manifest.dump();
  return image;
}

inline void put(distribution::testing::FakeRegistry& registry, const std::string& repository,
                const std::string& tag, const TestImage& image) {
  for (const auto& blob : image.blobs) registry.put(repository + "/blobs/" + codec::sha256(blob).str(), blob);
  registry.put(repository + "/blobs/" + image.id().str(), image.config);
  if (!tag.empty()) registry.put(repository + "/manifests/" + tag, image.manifest, image.media_type);
  registry.put(repository + "/manifests/" + image.digest().str(), image.manifest, image.media_type);
}

/// Collects what was said.
class Recorder final : public ProgressSink {
 public:
  void message(const spec::api::ProgressMessage& message) override {
    const std::scoped_lock lock{mutex_};
    messages_.push_back(message);
  }
  [[nodiscard]] std::vector<spec::api::ProgressMessage> messages() const {
    const std::scoped_lock lock{mutex_};
    return messages_;
  }
  /// "id: status" or the stream text, in order.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const auto& m : messages()) {
      lines.push_back(!m.stream.empty() ? m.stream : (m.id.empty() ? "" : m.id + ": ") + m.status);
    }
    return lines;
  }
  [[nodiscard]] bool said(const std::string& line) const {
    const auto all = lines();
    return std::find(all.begin(), all.end(), line) != all.end();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<spec::api::ProgressMessage> messages_;
};

class Users final : public ImageUsers {
 public:
  std::vector<ImageUser> users_of(const base::Digest& id) const override {
    const auto it = users.find(id.str());
    return it == users.end() ? std::vector<ImageUser>{} : it->second;
  }
  std::vector<std::string> snapshot_owners() const override { return owners; }
  std::map<std::string, std::vector<ImageUser>> users;
  std::vector<std::string> owners;
};

/// Everything below a data root. Closed and opened again it is a daemon that was started again.
class World {
 public:
  World() {
    std::string name = ::testing::TempDir() + "/caisson-image-XXXXXX";
    root = ::mkdtemp(name.data());
    options.registries.certs_dir = root + "/certs.d";
    options.registries.first_backoff = std::chrono::milliseconds{1};
    options.registries.attempts = 3;
    open();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    close();
    EXPECT_TRUE(sys::remove_tree(sys::kCwd, root));
  }

  void open() {
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, root + "/snapshots", 0700));
    database = state::Database::open(root + "/caisson.db").value();
    content = content::Store::open(root + "/content").value();
    snapshotter = snapshot::open("", root + "/snapshots", *database).value();
    auto opened = Store::open(*database, *content, *snapshotter, options);
    ASSERT_TRUE(opened) << opened.error().message();
    store = *std::move(opened);
  }
  void close() {
    store.reset();
    if (snapshotter) snapshotter->wait_for_trash();
    snapshotter.reset();
    content.reset();
    database.reset();
  }
  void reopen() {
    close();
    open();
  }

  base::Result<base::Digest> pull(const std::string& reference, Recorder* recorder = nullptr,
                                  std::stop_token stop = {}) {
    Recorder unheard;
    PullRequest request{spec::Reference::parse(reference).value().with_default_tag(), {}, {}};
    return store->pull(request, recorder == nullptr ? unheard : *recorder, std::move(stop));
  }
  base::Result<std::vector<Store::Loaded>> load(const std::string& archive, Recorder* recorder = nullptr) {
    Recorder unheard;
    base::StringSource source{archive};
    return store->load(source, recorder == nullptr, recorder == nullptr ? unheard : *recorder);
  }
  base::Result<std::string> save(const std::vector<std::string>& refs) {
    base::StringSink sink;
    TRY(store->save(refs, sink));
    return std::move(sink.text);
  }

  /// The content of a file in an image's root file system, read through its layers.
  std::string file(const std::string& ref, const std::string& path) {
    const auto image = store->get(ref).value();
    const auto mounts = snapshotter->mounts(image.top_layer).value();
    auto folders = mounts.lowers;
    if (folders.empty()) folders.push_back(mounts.bind_source);
    for (const auto& folder : folders) {
      if (auto text = sys::read_file(sys::kCwd, folder + "/" + path)) return *std::move(text);
    }
    return "no such file";
  }
  [[nodiscard]] std::size_t blobs() const {
    if (store) store->wait_for_drops();
    return content->list().value().size();
  }
  [[nodiscard]] std::size_t layers() const { return snapshotter->list().value().size(); }
  [[nodiscard]] bool is_empty() const { return blobs() == 0 && layers() == 0 && store->count().value() == 0; }

  std::string root;
  Options options;
  std::unique_ptr<state::Database> database;
  std::unique_ptr<content::Store> content;
  std::unique_ptr<snapshot::Snapshotter> snapshotter;
  std::unique_ptr<Store> store;
};

}  // namespace image::testing
