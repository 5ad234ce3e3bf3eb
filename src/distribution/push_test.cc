#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <random>

#include "codec/sha256.h"
#include "distribution/client.h"
#include "distribution/testing/fake_server.h"

namespace {

using base::ErrorKind;
using distribution::Client;
using distribution::PushedBlob;
using distribution::testing::FakeReply;
using distribution::testing::FakeRequest;
using distribution::testing::FakeServer;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::minstd_rand random{static_cast<unsigned>(size)};
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

/// Takes pushes for any repository, as the specification has it, and goes wrong on demand.
class UploadRegistry {
 public:
  UploadRegistry() : server{[this](const FakeRequest& request) { return handle(request); }} {}

  std::map<std::string, std::string> blobs, manifests;  ///< by "<repository>/<digest or tag>"
  std::size_t lose_after = SIZE_MAX;  ///< the next PATCH: this much is kept, then 503
  bool forget_upload = false;         ///< with it, the upload is gone
  bool denies = false;

 private:
  FakeReply handle(const FakeRequest& request) {
    const std::scoped_lock lock{mutex_};
    FakeReply reply;
    const std::string path = request.path();
    if (path == "/v2/") return reply;
    if (denies && request.method != "HEAD") {
      reply.status = 403;
      reply.body = R"({"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]})";
      return reply;
    }
    if (path.find("/manifests/") != std::string::npos) return manifest(request);
    if (path.find("/blobs/uploads/") != std::string::npos) return upload(request);
    const auto at = path.find("/blobs/");
    reply.status = blobs.contains(path.substr(4, at - 4) + "/" + path.substr(at + 7)) ? 200 : 404;
    return reply;
  }

  FakeReply manifest(const FakeRequest& request) {
    const auto at = request.path().find("/manifests/");
    manifests[request.path().substr(4, at - 4) + "/" + request.path().substr(at + 11)] = request.body;
    FakeReply reply;
    reply.status = 201;
    reply.headers = {"Docker-Content-Digest: " + codec::sha256(request.body).str()};
    return reply;
  }

  static std::string query(const FakeRequest& request, const std::string& name) {
    const auto at = request.target.find(name + "=");
    if (at == std::string::npos) return "";
    std::string value = request.target.substr(at + name.size() + 1);
    value = value.substr(0, value.find('&'));
    for (std::size_t i; (i = value.find("%3A")) != std::string::npos;) value.replace(i, 3, ":");
    for (std::size_t i; (i = value.find("%2F")) != std::string::npos;) value.replace(i, 3, "/");
    return value;
  }

  FakeReply upload(const FakeRequest& request) {
    const std::string path = request.path();
    const std::string repository = path.substr(4, path.find("/blobs/") - 4);
    FakeReply reply;
    if (request.method == "POST") {
      if (const auto blob = blobs.find(query(request, "from") + "/" + query(request, "mount")); blob != blobs.end()) {
        blobs[repository + "/" + query(request, "mount")] = blob->second;
        reply.status = 201;
        return reply;
      }
      const std::string id = std::to_string(++last_upload_);
      uploads_[id] = "";
      reply.status = 202;
      reply.headers = {"Location: /v2/" + repository + "/blobs/uploads/" + id + "?state=1"};
      return reply;
    }
    const std::string id = path.substr(path.rfind('/') + 1);
    const auto found = uploads_.find(id);
    if (found == uploads_.end()) {
      reply.status = 404;
      reply.body = R"({"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]})";
      return reply;
    }
    std::string& bytes = found->second;
    reply.headers = {"Location: " + server.url() + path + "?state=2"};
    if (request.method == "PATCH") {
      if (request.header("content-range") !=
          std::to_string(bytes.size()) + "-" + std::to_string(bytes.size() + request.body.size() - 1)) {
        reply.status = 416;
        return reply;
      }
      if (lose_after != SIZE_MAX) {
        bytes += request.body.substr(0, std::exchange(lose_after, SIZE_MAX));
        if (forget_upload) uploads_.erase(found);
        reply.status = 503;
        return reply;
      }
      bytes += request.body;
      reply.status = 202;
    } else if (request.method == "GET") {
      reply.status = 204;
      reply.headers.push_back("Range: 0-" + std::to_string(bytes.empty() ? 0 : bytes.size() - 1));
    } else {
      bytes += request.body;
      const std::string digest = query(request, "digest");
      if (codec::sha256(bytes).str() != digest) {
        reply.status = 400;
        reply.body = R"({"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]})";
        return reply;
      }
      blobs[repository + "/" + digest] = bytes;
      uploads_.erase(found);
      reply.status = 201;
    }
    return reply;
  }

  std::mutex mutex_;
  std::map<std::string, std::string> uploads_;
  int last_upload_ = 0;

 public:
  FakeServer server;  // last: its threads use the members above
};

class Text final : public distribution::BlobReader {
 public:
  explicit Text(std::string text) : bytes{std::move(text)} {}
  base::Result<std::unique_ptr<base::ByteSource>> open(std::uint64_t offset) override {
    offsets.push_back(offset);
    return std::unique_ptr<base::ByteSource>{
        std::make_unique<base::StringSource>(std::string_view{bytes}.substr(offset))};
  }
  [[nodiscard]] spec::Descriptor descriptor() const {
    return spec::Descriptor::of(spec::media::kOciLayer, codec::sha256(bytes), bytes.size());
  }
  std::string bytes;
  std::vector<std::uint64_t> offsets;
};

class Push : public testing::Test {
 protected:
  base::Result<PushedBlob> push(Text& text, const std::vector<std::string>& mount_from = {}) {
    distribution::Options options;
    options.certs_dir = "/nonexistent";
    options.first_backoff = std::chrono::milliseconds{1};
    options.stall_timeout = std::chrono::seconds{5};
    auto client = Client::create(options).value();
    const auto name = spec::Reference::parse(registry.server.host() + "/app").value();
    repository_ = TRY(client->open_for_push(name, {}, mount_from, {}));
    return repository_->push_blob(text.descriptor(), mount_from, text, {}, nullptr);
  }
  std::vector<std::string> methods() const {
    std::vector<std::string> out;
    for (const auto& request : registry.server.requests_for("/blobs/")) out.push_back(request.method);
    return out;
  }
  std::string stored(const Text& text) { return registry.blobs["app/" + text.descriptor().digest_text]; }

  UploadRegistry registry;
  std::unique_ptr<distribution::Repository> repository_;
};

TEST_F(Push, ASmallBlobTakesOneRequest) {
  Text text{random_bytes(1000)};
  const auto pushed = push(text);
  ASSERT_TRUE(pushed) << pushed.error().message();
  EXPECT_EQ(pushed->how, PushedBlob::How::Uploaded);
  EXPECT_EQ(stored(text), text.bytes);
  EXPECT_THAT(methods(), ElementsAre("HEAD", "POST", "PUT"));
}

TEST_F(Push, AnEmptyBlob) {
  Text text{""};
  ASSERT_TRUE(push(text));
  EXPECT_TRUE(registry.blobs.contains("app/" + text.descriptor().digest_text));
}

TEST_F(Push, ALargeBlobIsAStream) {
  Text text{random_bytes(5 << 20)};
  const auto pushed = push(text);
  ASSERT_TRUE(pushed) << pushed.error().message();
  EXPECT_EQ(stored(text), text.bytes);
  EXPECT_THAT(methods(), ElementsAre("HEAD", "POST", "PATCH", "PUT"));
}

TEST_F(Push, WhatIsThereIsNotSentAgain) {
  Text text{random_bytes(1000)};
  ASSERT_TRUE(push(text));
  const auto again = push(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->how, PushedBlob::How::Exists);
  EXPECT_EQ(text.offsets.size(), 1U);
}

TEST_F(Push, IsMountedFromAnotherRepository) {
  Text text{random_bytes(1000)};
  registry.blobs["team/base/" + std::string{"other"}] = "";
  registry.blobs["team/base/" + text.descriptor().digest_text] = text.bytes;
  const auto pushed = push(text, {"team/base"});
  ASSERT_TRUE(pushed) << pushed.error().message();
  EXPECT_EQ(pushed->how, PushedBlob::How::Mounted);
  EXPECT_EQ(pushed->mounted_from, "team/base");
  EXPECT_TRUE(text.offsets.empty());
}

TEST_F(Push, IsUploadedWhereItCannotBeMounted) {
  Text text{random_bytes(1000)};
  const auto pushed = push(text, {"team/base"});
  ASSERT_TRUE(pushed);
  EXPECT_EQ(pushed->how, PushedBlob::How::Uploaded);
  // The refused mount opened the upload.
  EXPECT_THAT(methods(), ElementsAre("HEAD", "POST", "PUT"));
}

TEST_F(Push, GoesOnWhereTheRegistryGotTo) {
  Text text{random_bytes(4 << 20)};
  registry.lose_after = 3 << 20;
  const auto pushed = push(text);
  ASSERT_TRUE(pushed) << pushed.error().message();
  EXPECT_EQ(stored(text), text.bytes);
  EXPECT_THAT(text.offsets, ElementsAre(0U, 3U << 20U));
  EXPECT_THAT(methods(), ElementsAre("HEAD", "POST", "PATCH", "GET", "PATCH", "PUT"));
}

TEST_F(Push, BeginsAnewWhenTheUploadWasForgotten) {
  Text text{random_bytes(4 << 20)};
  registry.lose_after = 1 << 20;
  registry.forget_upload = true;
  const auto pushed = push(text);
  ASSERT_TRUE(pushed) << pushed.error().message();
  EXPECT_EQ(stored(text), text.bytes);
  EXPECT_THAT(text.offsets, ElementsAre(0U, 0U));
}

TEST_F(Push, SaysWhyItWasDenied) {
  Text text{"x"};
  registry.denies = true;
  const auto pushed = push(text);
  ASSERT_FALSE(pushed);
  EXPECT_TRUE(pushed.error().is(ErrorKind::Unauthorized));
  EXPECT_THAT(pushed.error().message(), HasSubstr("denied: requested access to the resource is denied"));
}

TEST_F(Push, AReaderThatFailsIsTheError) {
  class Broken final : public distribution::BlobReader {
    class Source final : public base::ByteSource {
      base::Result<std::size_t> read(std::span<char>) override { return base::internal("the disk is gone"); }
    };
    base::Result<std::unique_ptr<base::ByteSource>> open(std::uint64_t) override {
      return std::unique_ptr<base::ByteSource>{std::make_unique<Source>()};
    }
  } broken;
  Text small{"x"};
  ASSERT_TRUE(push(small));
  const Text text{random_bytes(2 << 20)};
  const auto pushed = repository_->push_blob(text.descriptor(), {}, broken, {}, nullptr);
  ASSERT_FALSE(pushed);
  EXPECT_THAT(pushed.error().message(), HasSubstr("the disk is gone"));
}

TEST_F(Push, AManifestIsPutUnderItsTag) {
  Text text{"x"};
  ASSERT_TRUE(push(text));
  const std::string bytes = R"({"schemaVersion":2})";
  const auto digest = repository_->push_manifest("1", std::string{spec::media::kOciManifest}, bytes, {});
  ASSERT_TRUE(digest) << digest.error().message();
  EXPECT_EQ(*digest, codec::sha256(bytes));
  EXPECT_EQ(registry.manifests["app/1"], bytes);
  EXPECT_THAT(registry.server.requests_for("/manifests/").front().headers,
              Contains(testing::Pair("content-type", std::string{spec::media::kOciManifest})));
}

TEST_F(Push, EndsWhenItIsStopped) {
  std::stop_source stop;
  stop.request_stop();
  Text text{"x"};
  ASSERT_TRUE(push(text));
  const Text other{"y"};
  Text reader{"y"};
  EXPECT_TRUE(repository_->push_blob(other.descriptor(), {}, reader, stop.get_token(), nullptr)
                  .failed_as(ErrorKind::Unavailable));
}

}  // namespace
