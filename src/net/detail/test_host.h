#pragma once
/// For tests only: a host of one's own, in network namespaces that end with a child process.
///
///   outside 203.0.113.2 ──── 203.0.113.1 host ──── caisson0 ──── containers
///
/// The outside has no route to the containers: what reaches it was translated.

#include <chrono>
#include <optional>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "net/manager.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/nftables.h"
#include "sys/rtnetlink.h"

namespace net::test {

inline sys::UniqueFd this_netns() {
  return sys::open_at(sys::kCwd, "/proc/thread-self/ns/net", O_RDONLY).value();
}

inline sys::UniqueFd make_netns() {
  const sys::UniqueFd home = this_netns();
  EXPECT_TRUE(sys::unshare_namespaces(CLONE_NEWNET));
  sys::UniqueFd made = this_netns();
  EXPECT_TRUE(sys::enter_namespaces(home.get(), CLONE_NEWNET));
  return made;
}

/// Runs `body` in a child that is root of a network namespace with nothing but lo.
template <class F>
void on_fresh_host(F body) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root for a network namespace";
  const pid_t child = ::fork();  // lint: allow(raw-syscall) the test body dies with its namespaces
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!sys::unshare_namespaces(CLONE_NEWNET) || !sys::bring_up_loopback()) ::_exit(99);
    body();
    ::fflush(nullptr);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);  // lint: allow(raw-syscall) see fork
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
}

/// A network namespace that is connected to this one.
inline sys::UniqueFd make_outside() {
  sys::UniqueFd outside = make_netns();
  auto host = sys::RouteSocket::open().value();
  sys::RouteBatch batch;
  batch.create_veth({.name = "uplink", .up = true, .peer_name = "eth0", .peer_netns = outside.get()});
  EXPECT_TRUE(host.run(batch));
  sys::RouteBatch address;
  address.add_address(host.link("uplink").value().index, sys::InetAddress::v4(0xcb007101), 24);
  EXPECT_TRUE(host.run(address));
  auto far = sys::RouteSocket::open_in(outside.get()).value();
  sys::RouteBatch far_batch;
  far_batch.set_up("lo");
  far_batch.add_address(far.link("eth0").value().index, sys::InetAddress::v4(0xcb007102), 24);
  far_batch.set_up("eth0");
  EXPECT_TRUE(far.run(far_batch));
  EXPECT_TRUE(host.link("uplink"));  // see plumbing.cc: without it the first packet may be lost
  return outside;
}

/// A socket of the namespace `netns`, or of this one with -1.
inline sys::UniqueFd make_socket(int netns, int type) {
  sys::UniqueFd made;
  const auto open = [&]() -> base::Result<> {
    made = sys::UniqueFd{
        ::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};  // lint: allow(raw-syscall) a test's peer
    return {};
  };
  EXPECT_TRUE(netns < 0 ? open() : sys::in_netns(netns, open));
  return made;
}

inline sockaddr_in socket_address(const std::string& ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  return address;
}

inline bool wait_for(const sys::UniqueFd& fd, short events, std::chrono::milliseconds timeout) {
  pollfd poll{.fd = fd.get(), .events = events, .revents = 0};
  return ::poll(&poll, 1, static_cast<int>(timeout.count())) == 1;
}

inline sys::UniqueFd bind_socket(int netns, int type, std::uint16_t port) {
  sys::UniqueFd fd = make_socket(netns, type);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto name = socket_address("0.0.0.0", port);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0) << ::strerror(errno);
  return fd;
}
inline sys::UniqueFd listen_tcp(int netns, std::uint16_t port) {
  sys::UniqueFd fd = bind_socket(netns, SOCK_STREAM, port);
  EXPECT_EQ(::listen(fd.get(), 64), 0);
  return fd;
}

struct Connection {
  sys::UniqueFd client;
  sys::UniqueFd server;
  std::string client_address;  ///< as the server sees it

  /// Whether a byte still gets through, both ways.
  [[nodiscard]] bool works() const {
    char byte = 0;
    return ::write(client.get(), "a", 1) == 1 && wait_for(server, POLLIN, std::chrono::seconds{2}) &&
           ::read(server.get(), &byte, 1) == 1 && ::write(server.get(), "b", 1) == 1 &&
           wait_for(client, POLLIN, std::chrono::seconds{2}) && ::read(client.get(), &byte, 1) == 1 &&
           byte == 'b';
  }
};

/// From `netns` to ip:port, where `listener` is expected to be found; nullopt if it is not.
inline std::optional<Connection> connect_tcp(int netns, const std::string& ip, std::uint16_t port,
                                             const sys::UniqueFd& listener,
                                             std::chrono::milliseconds timeout = std::chrono::milliseconds{
                                                 1500}) {
  Connection connection;
  connection.client = make_socket(netns, SOCK_STREAM);
  const auto name = socket_address(ip, port);
  if (::connect(connection.client.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) < 0 &&
      errno != EINPROGRESS) {
    return std::nullopt;
  }
  if (!wait_for(connection.client, POLLOUT, timeout)) return std::nullopt;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(connection.client.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0 || !wait_for(listener, POLLIN, timeout)) return std::nullopt;
  sockaddr_in peer{};
  socklen_t peer_size = sizeof peer;
  connection.server = sys::UniqueFd{::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &peer_size,
                                              SOCK_CLOEXEC | SOCK_NONBLOCK)};
  char text[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text);
  connection.client_address = text;
  return connection;
}
/// For what must not pass: long enough for a first packet, too short for a second one to be sent.
inline constexpr std::chrono::milliseconds kBlocked{300};

struct Container {
  Endpoint endpoint;
  sys::UniqueFd netns;
};

inline PortBinding tcp_port(std::uint16_t host_port, std::uint16_t container_port,
                            const char* host_ip = "0.0.0.0") {
  return {.protocol = Protocol::Tcp,
          .container_port = container_port,
          .host_ip = Ipv4::parse(host_ip).value(),
          .host_port = host_port};
}

inline EndpointRequest request_for(const Manager& manager, const std::string& name,
                                   const std::string& network = "bridge",
                                   std::vector<PortBinding> ports = {}) {
  return {.container = base::ContainerId::random(),
          .container_name = name,
          .network = manager.find_network(network).value().id,
          .ports = std::move(ports)};
}

inline Container start(Manager& manager, const EndpointRequest& request) {
  auto endpoint = manager.reserve(request);
  EXPECT_TRUE(endpoint) << endpoint.error().message();
  Container container{*endpoint, make_netns()};
  const auto attached = manager.attach(*endpoint, container.netns.get());
  EXPECT_TRUE(attached) << attached.error().message();
  return container;
}

inline std::unique_ptr<Manager> open_manager(Options options = {},
                                             std::unique_ptr<Records> records = records_in_memory()) {
  auto manager = Manager::open(std::move(options), std::move(records));
  EXPECT_TRUE(manager) << manager.error().message();
  return *std::move(manager);
}

/// Everything of ours in the kernel, as text: two equal ones mean that nothing was left behind.
inline std::string kernel_state() {
  std::string text = sys::run_nft("list table ip caisson").value_or("no table\n");
  const auto links = sys::RouteSocket::open().value().links().value();
  for (const auto& link : links) text += link.name + '\n';
  return text;
}

/// The kernel destroys a namespace's interfaces after its last descriptor is gone, and says so.
inline void wait_until_gone(const std::string& interface) {
  auto socket = sys::RouteSocket::open().value();
  for (int i = 0; i < 500 && socket.link(interface); ++i) ::usleep(10'000);
  EXPECT_TRUE(socket.link(interface).failed_as(base::ErrorKind::NotFound)) << interface;
}

}  // namespace net::test
