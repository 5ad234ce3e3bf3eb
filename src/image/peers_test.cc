/// Against the real ones: Debian's docker-registry, skopeo, podman and umoci.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/testing/fixture.h"

namespace {

using base::ErrorKind;
using image::testing::Files;
using image::testing::layer_tar;
using image::testing::make_image;
using image::testing::noise;
using image::testing::Recorder;
using image::testing::TestImage;
using image::testing::World;
using testing::HasSubstr;

bool have(const std::string& tool) {
  const std::string path = std::string{"/usr/bin/"} + tool;
  return ::access(path.c_str(), X_OK) == 0;
}
#define NEEDS(tool) \
  if (!have(tool)) GTEST_SKIP() << tool << " is not installed"

/// Runs a command and gives what it said on both streams; the exit code goes to the end if it is not 0.
std::string run(const std::string& command) {
  FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  std::string output;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, count);
  const int status = ::pclose(pipe);
  if (status != 0) output += "\nexit status " + std::to_string(WEXITSTATUS(status));
  return output;
}

struct RegistryOptions {
  bool tls = false;
  bool password = false;  ///< user "user", password "pass"
};

/// docker-registry on a free port of the loopback interface.
class RegistryProcess {
 public:
  explicit RegistryProcess(const std::string& root, RegistryOptions options = {})
      : root_{root + "/registry"} {
    EXPECT_TRUE(sys::make_dirs(sys::kCwd, root_, 0755));
    const int port = free_port();
    host_ = "127.0.0.1:" + std::to_string(port);
    std::string config =
        "version: 0.1\nlog: {accesslog: {disabled: true}, level: error}\nstorage: {filesystem: "
        "{rootdirectory: " +
        root_ + "/data}}\nhttp:\n  addr: " + host_ + "\n";
    if (options.tls) {
      make_certificate(root_, "ca", "registry");
      config += "  tls: {certificate: " + root_ + "/registry.pem, key: " + root_ + "/registry.key}\n";
    }
    if (options.password) {
      write("htpasswd", "user:$2b$04$lr9XIL3qgoIjOEgdIvsFkep/FFJVe3WVlu1NO6zz1p0zN4/.CbJcu\n");
      config += "auth: {htpasswd: {realm: test, path: " + root_ + "/htpasswd}}\n";
    }
    write("config.yml", config);
    const std::string config_path = root_ + "/config.yml";
    const std::string log_path = root_ + "/log";
    pid_ = ::fork();
    if (pid_ == 0) {
      const int log = ::open(log_path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
      ::dup2(log, 1);
      ::dup2(log, 2);
      ::execl("/usr/bin/docker-registry", "docker-registry", "serve", config_path.c_str(), nullptr);
      ::_exit(127);
    }
    wait_for(port);
  }
  RegistryProcess(const RegistryProcess&) = delete;
  RegistryProcess& operator=(const RegistryProcess&) = delete;
  ~RegistryProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// An authority NAME.crt and what it vouches for: NAME.pem and NAME.key.
  static void make_certificate(const std::string& dir, const std::string& authority,
                               const std::string& name) {
    EXPECT_EQ(
        run("cd " + dir +
            " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            "-subj /CN=" +
            authority + " -keyout " + authority + ".key -out " + authority +
            ".crt"
            " 2>/dev/null || exit 1; openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
            "/CN=registry "
            "-keyout " +
            name + ".key -out " + name +
            ".csr 2>/dev/null && echo subjectAltName=IP:127.0.0.1 > san && openssl x509 -req -in " + name +
            ".csr -CA " + authority + ".crt -CAkey " + authority +
            ".key -CAcreateserial -days 2 -extfile san -out " + name + ".pem 2>/dev/null"),
        "");
  }
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::string log() const { return sys::read_file(sys::kCwd, root_ + "/log").value_or(""); }

 private:
  void write(const std::string& name, const std::string& text) {
    EXPECT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/" + name, text));
  }
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  static int free_port() {
    const sys::UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto address = loopback(0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    return ntohs(address.sin_port);
  }
  void wait_for(int port) {
    for (int i = 0; i < 500; ++i) {
      const sys::UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
      const auto address = loopback(port);
      if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
      ::usleep(20'000);
    }
    ADD_FAILURE() << "docker-registry does not listen: " << log();
  }

  std::string root_, host_;
  pid_t pid_ = -1;
};

std::string blob_path(const std::string& bytes) {
  return "/blobs/sha256/" + std::string{codec::sha256(bytes).hex()};
}

/// An OCI layout folder at `dir`, the image's name is "it".
void write_layout(const std::string& dir, const TestImage& image) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, dir + "/blobs/sha256", 0755));
  const auto write = [&](const std::string& path, const std::string& text) {
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, dir + path, text));
  };
  for (const auto& blob : image.blobs) write(blob_path(blob), blob);
  write(blob_path(image.config), image.config);
  write(blob_path(image.manifest), image.manifest);
  write("/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  spec::Index index;
  auto descriptor = spec::Descriptor::of(image.media_type, image.digest(), image.manifest.size());
  descriptor.annotations["org.opencontainers.image.ref.name"] = "it";
  index.manifests.push_back(descriptor);
  write("/index.json", index.dump());
}

std::string skopeo(const std::string& arguments) { return run("skopeo --insecure-policy " + arguments); }

class PeersTest : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS("skopeo");
    write_layout(layout(), image);
  }
  [[nodiscard]] std::string layout() const { return world.root + "/layout"; }
  void push(const RegistryProcess& registry, const std::string& to, const std::string& options = "") {
    const std::string said =
        skopeo("copy -q " + options + " oci:" + layout() + ":it docker://" + registry.host() + "/" + to);
    ASSERT_THAT(said, testing::Not(HasSubstr("exit status"))) << said << registry.log();
  }
  base::Result<base::Digest> pull_as(const std::string& name, const std::string& user,
                                     const std::string& password) {
    image::PullRequest request{spec::Reference::parse(name).value(), {}, {}};
    request.credentials.username = user;
    request.credentials.password = password;
    Recorder recorder;
    return world.store->pull(request, recorder, {});
  }

  World world;
  const TestImage image = make_image({{{"etc/one", "1"}, {"data", noise(3'000'000)}}, {{"etc/two", "2"}}});
};

TEST_F(PeersTest, PullsWhatSkopeoPushed) {
  NEEDS("docker-registry");
  const RegistryProcess registry{world.root};
  push(registry, "me/oci:1", "--dest-tls-verify=false");
  push(registry, "me/docker:1", "--dest-tls-verify=false --format v2s2");
  push(registry, "me/zstd:1", "--dest-tls-verify=false --dest-compress-format zstd --dest-compress");
  const auto pulled = world.pull(registry.host() + "/me/oci:1");
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_EQ(*pulled, image.id());
  EXPECT_EQ(world.file(registry.host() + "/me/oci:1", "data"), noise(3'000'000));
  for (const auto* name : {"/me/docker:1", "/me/zstd:1"}) {
    const auto other = world.pull(registry.host() + name);
    ASSERT_TRUE(other) << name << ": " << other.error().message();
    EXPECT_EQ(world.file(registry.host() + name, "etc/two"), "2");
  }
  const auto missing = world.pull(registry.host() + "/me/oci:2");
  ASSERT_TRUE(missing.failed_as(ErrorKind::NotFound));
  EXPECT_THAT(missing.error().message(), testing::StartsWith("manifest for " + registry.host() +
                                                             "/me/oci:2 not found: manifest unknown: "));
  EXPECT_TRUE(world.pull(registry.host() + "/nobody/nothing").failed_as(ErrorKind::NotFound));
}

TEST_F(PeersTest, PullsWithAPassword) {
  NEEDS("docker-registry");
  const RegistryProcess registry{world.root, {.password = true}};
  push(registry, "me/app:1", "--dest-tls-verify=false --dest-creds user:pass");
  const std::string name = registry.host() + "/me/app:1";
  EXPECT_TRUE(pull_as(name, "", "").failed_as(ErrorKind::Unauthorized));
  const auto wrong = pull_as(name, "user", "guess");
  ASSERT_TRUE(wrong.failed_as(ErrorKind::Unauthorized));
  EXPECT_EQ(wrong.error().message(), "unauthorized: authentication required");
  const auto pulled = pull_as(name, "user", "pass");
  EXPECT_TRUE(pulled) << pulled.error().message();
}

TEST_F(PeersTest, PullsOverTlsWithItsOwnAuthority) {
  NEEDS("docker-registry");
  NEEDS("openssl");
  const RegistryProcess registry{world.root, {.tls = true}};
  push(registry, "me/app:1", "--dest-tls-verify=false");
  const std::string certs = world.root + "/certs.d/" + registry.host();
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, certs, 0755));
  RegistryProcess::make_certificate(registry.root(), "stranger", "other");
  ASSERT_EQ(run("cp " + registry.root() + "/stranger.crt " + certs + "/ca.crt"), "");
  const auto refused = world.pull(registry.host() + "/me/app:1");
  ASSERT_TRUE(refused.failed_as(ErrorKind::Internal)) << refused.error().message();
  EXPECT_THAT(refused.error().message(),
              HasSubstr("tls: failed to verify certificate: x509: certificate signed by unknown authority"));

  ASSERT_EQ(run("cp " + registry.root() + "/ca.crt " + certs + "/ca.crt"), "");
  const auto pulled = world.pull(registry.host() + "/me/app:1");
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_EQ(world.file(registry.host() + "/me/app:1", "etc/two"), "2");
  ASSERT_EQ(run("touch " + certs + "/client.cert"), "");
  EXPECT_THAT(world.pull(registry.host() + "/me/app:1").error().message(), HasSubstr("missing key"));
}

TEST_F(PeersTest, LoadsWhatSkopeoWrote) {
  for (const auto* transport : {"oci-archive", "docker-archive"}) {
    World other;
    const std::string path = other.root + "/image.tar";
    const std::string said =
        skopeo("copy -q oci:" + layout() + ":it " + transport + ":" + path + ":docker.io/library/x:1");
    ASSERT_THAT(said, testing::Not(HasSubstr("exit status"))) << said;
    Recorder recorder;
    const auto loaded = other.load(sys::read_file(sys::kCwd, path).value(), &recorder);
    ASSERT_TRUE(loaded) << transport << ": " << loaded.error().message();
    EXPECT_TRUE(recorder.said("Loaded image: x:1\n"));
    EXPECT_EQ(loaded->at(0).id, image.id());
    EXPECT_EQ(other.file("x:1", "data"), noise(3'000'000));
  }
}

class SavedTest : public PeersTest {
 protected:
  void SetUp() override {
    PeersTest::SetUp();
    if (IsSkipped()) return;
    distribution::testing::FakeRegistry registry;
    put(registry, "x", "t", image);
    ASSERT_TRUE(world.pull(registry.server.host() + "/x:t"));
    ASSERT_TRUE(world.store->tag(image.id().str(), "x", "1"));
    ASSERT_TRUE(world.store->tag(image.id().str(), "me/y", "2"));
    ASSERT_TRUE(world.store->remove(registry.server.host() + "/x:t", false, true, image::testing::Users{}));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, path(), world.save({"x:1", "me/y:2"}).value()));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, single(), world.save({"x:1"}).value()));
  }
  [[nodiscard]] std::string path() const { return world.root + "/saved.tar"; }
  [[nodiscard]] std::string single() const { return world.root + "/single.tar"; }
};

TEST_F(SavedTest, IsReadBySkopeo) {
  EXPECT_THAT(skopeo("inspect docker-archive:" + path() + ":x:1"), HasSubstr("\"Architecture\": \"amd64\""));
  EXPECT_THAT(skopeo("inspect docker-archive:" + path() + ":me/y:2"),
              HasSubstr("\"Architecture\": \"amd64\""));
  EXPECT_THAT(skopeo("inspect oci-archive:" + single()), HasSubstr(image.digest().str()));
  EXPECT_THAT(skopeo("inspect oci-archive:" + path() + ":docker.io/me/y:2"), HasSubstr(image.digest().str()));
  for (const auto* transport : {"docker-archive:", "oci-archive:"}) {
    const std::string copy = world.root + "/copy-" + std::string{transport}.substr(0, 3);
    const std::string said = skopeo("copy -q " + (transport + single()) + " dir:" + copy);
    EXPECT_THAT(said, testing::Not(HasSubstr("exit status"))) << said;
    EXPECT_EQ(sys::read_file(sys::kCwd, copy + "/" + std::string{image.id().hex()}).value_or(""),
              image.config);
  }
}

TEST_F(SavedTest, IsLoadedByPodman) {
  NEEDS("podman");
  const std::string podman =
      "podman --root " + world.root + "/podman --runroot " + world.root + "/podman-run --storage-driver vfs ";
  const std::string said = run(podman + "load -i " + single());
  EXPECT_THAT(said, HasSubstr("docker.io/library/x:1"));
  EXPECT_THAT(run(podman + "image inspect -f '{{.Id}}' x:1"), HasSubstr(std::string{image.id().hex()}));
  // And back again.
  const std::string back = world.root + "/back.tar";
  ASSERT_EQ(run(podman + "save -q -o " + back + " x:1"), "");
  World other;
  const auto loaded = other.load(sys::read_file(sys::kCwd, back).value());
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->at(0).tags, std::vector<std::string>{"x:1"});
  EXPECT_EQ(loaded->at(0).id, image.id());
}

TEST_F(SavedTest, TheStoreIsAnOciLayoutForOthers) {
  const std::string content = world.root + "/content";
  EXPECT_THAT(skopeo("inspect oci:" + content + ":docker.io/library/x:1"), HasSubstr(image.digest().str()));
  NEEDS("umoci");
  EXPECT_EQ(run("umoci ls --layout " + content), "docker.io/library/x:1\ndocker.io/me/y:2\n");
}

}  // namespace
