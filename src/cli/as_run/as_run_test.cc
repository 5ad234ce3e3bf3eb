#include "cli/as_run/as_run.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/strings.h"
#include "cli/container/options.h"
#include "codec/describe.h"

namespace cli {
namespace {

using Words = std::vector<std::string>;

/// The body of POST /containers/create that a command line asks for.
spec::api::CreateContainerRequest request_of(const Words& words) {
  const CommandRow& row = *find_row("container create");
  flags::FlagSet set;
  FlagBinder binder{row, set};
  ContainerOptions options;
  options.bind(binder);
  bool ignored = false;
  std::string text;
  binder("pull", text);
  binder("quiet", ignored);
  const auto parsed = set.parse(std::span<const std::string>{words}, flags::Interspersed::No);
  EXPECT_TRUE(parsed) << shell_line(words) << ": " << parsed.error().message();
  if (!parsed) return {};
  auto request = options.request(parsed->arguments);
  EXPECT_TRUE(request) << shell_line(words) << ": " << request.error().message();
  return request ? std::move(*request) : spec::api::CreateContainerRequest{};
}

/// What inspect shows of a container that was made by such a body.
spec::api::ContainerInspect made_by(const spec::api::CreateContainerRequest& request, const std::string& name) {
  spec::api::ContainerInspect out;
  out.id = std::string(64, 'a');
  out.name = "/" + name;
  out.config = request.config;
  out.host_config = request.host_config;
  for (const auto& [network, endpoint] : request.networking_config.endpoints_config) {
    out.network_settings.networks[network] = endpoint.value_or(spec::api::EndpointSettings{});
  }
  return out;
}

std::string text_of(const spec::api::CreateContainerRequest& request) { return codec::to_json(request).dump(); }

const std::vector<std::string> kCommandLines{
    "busybox",
    "busybox sh -c x",
    "-it --rm busybox",
    "-i busybox cat",
    "-a stdout busybox",
    "--name web --hostname h --domainname d -u 1:2 -w /w busybox",
    "-e A=1 -e B= -l x=y -l bare --label-file /dev/null busybox",
    "--entrypoint /bin/x busybox a b",
    "--entrypoint= busybox a",
    "--stop-signal USR1 --stop-timeout 3 busybox",
    "--health-cmd true --health-interval 3s --health-timeout 1500ms --health-retries 4 busybox",
    "--no-healthcheck busybox",
    "--restart on-failure:3 busybox",
    "--restart always busybox",
    "--privileged --read-only --init busybox",
    "--init=false busybox",
    "--cap-add NET_ADMIN --cap-drop ALL --security-opt no-new-privileges --security-opt systempaths=unconfined busybox",
    "--group-add 5 --pid host --ipc host --uts host --userns host --cgroupns host busybox",
    "--runtime other --oom-score-adj -5 --shm-size 1m busybox",
    "--sysctl net.core.somaxconn=5 --annotation a=b --storage-opt size=1g busybox",
    "--log-driver syslog --log-opt tag=x busybox",
    "--network none busybox",
    "--network container:x busybox",
    "--network net --network-alias a --ip 10.0.0.5 busybox",
    "--network name=net,alias=a,driver-opt=k=v,gw-priority=3 --network other busybox",
    "-p 80 -p 127.0.0.1:8080:81/udp -p [::1]:82:82 -p 9000-9001:9000-9001 --expose 99 -P busybox",
    "--link db:alias --add-host h:1.2.3.4 --dns 1.1.1.1 --dns-option ndots:2 --dns-search x busybox",
    "-v /a:/b:ro -v name:/c -v /anonymous --tmpfs /t:size=1m --tmpfs /u --volumes-from other busybox",
    "--mount type=bind,source=/a,target=/b,readonly,bind-propagation=rslave busybox",
    "--mount type=volume,source=v,target=/b,volume-nocopy,volume-label=a=b,volume-opt=o=x=1 busybox",
    "--mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770 busybox",
    "-m 64m --memory-swap -1 --memory-reservation 32m --memory-swappiness 5 --oom-kill-disable busybox",
    "--cpus 1.5 --cpu-shares 3 --cpuset-cpus 0-1 --cpuset-mems 0 --pids-limit 10 busybox",
    "--cpu-period 1000 --cpu-quota 2000 --cgroup-parent /x busybox",
    "--blkio-weight 100 --blkio-weight-device /dev/null:200 --device-read-bps /dev/null:1mb busybox",
    "--device-write-iops /dev/null:5 --ulimit nofile=1:2 --device /dev/null:/dev/x:rw busybox",
    "--device-cgroup-rule 'c 1:3 rwm' --gpus 2 busybox",
    "--gpus all busybox",
    "--device vendor.com/class=x busybox",
};

/// Words of a line; quotes keep spaces together.
Words split_line(const std::string& line) {
  Words out(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

TEST(AsRun, MakesTheSameContainerAgain) {
  AsRunFacts facts;
  facts.image.emplace();
  for (const auto& line : kCommandLines) {
    const auto first = request_of(split_line(line));
    auto words = as_run_words(made_by(first, "x"), facts);
    ASSERT_EQ(words[0], "run");
    words.erase(words.begin());
    EXPECT_EQ(text_of(request_of(words)), text_of(first)) << line << "\n" << shell_line(words);
  }
}

TEST(AsRun, LeavesOutWhatTheImageSays) {
  AsRunFacts facts;
  facts.image = spec::api::ContainerConfig{.user = "me",
                                           .exposed_ports = spec::api::NameSet{{"80/tcp", {}}},
                                           .env = Words{"PATH=/bin", "A=1"},
                                           .cmd = Words{"nginx"},
                                           .entrypoint = Words{"/entry", "point"},
                                           .volumes = spec::api::NameSet{{"/data", {}}},
                                           .working_dir = "/w",
                                           .labels = spec::api::Labels{{"l", "m"}},
                                           .stop_signal = "QUIT"};
  spec::api::ContainerInspect container;
  container.id = std::string(64, 'a');
  container.name = "/web";
  container.config = *facts.image;
  container.config.image = "nginx:1";
  container.config.hostname = std::string(12, 'a');
  container.config.env->push_back("B=2");
  container.host_config.shm_size = 64 << 20;
  container.host_config.network_mode = "bridge";
  EXPECT_EQ(shell_line(as_run_words(container, facts)), "run --name=web --env=B=2 --detach nginx:1");
  // Without the image nothing is known of it.
  facts.image.reset();
  const auto words = as_run_words(container, facts);
  EXPECT_EQ(words.back(), "nginx");
  EXPECT_NE(std::ranges::find(words, "--entrypoint=/entry"), words.end());
}

TEST(AsRun, QuotesForAShell) {
  EXPECT_EQ(shell_line({"a", "b c", "", "it's", "$x", "k=v,w"}), "a 'b c' '' 'it'\\''s' '$x' k=v,w");
}

}  // namespace
}  // namespace cli
