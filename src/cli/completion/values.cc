#include "cli/completion/values.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "client/containers.h"
#include "client/images.h"

namespace cli {

using base::Result;

namespace {

using Kind = ValueKind;

struct ArgumentValues {
  std::string_view command;
  Kind first, rest;
};

/// What is not here completes files.
constexpr std::array kArguments{
    ArgumentValues{"checkpoint create", Kind::Running, Kind::Nothing},
    ArgumentValues{"checkpoint ls", Kind::Containers, Kind::Nothing},
    ArgumentValues{"checkpoint rm", Kind::Containers, Kind::Nothing},
    ArgumentValues{"container attach", Kind::Running, Kind::Nothing},
    ArgumentValues{"container commit", Kind::Containers, Kind::Images},
    ArgumentValues{"container cp", Kind::CopyPath, Kind::CopyPath},
    ArgumentValues{"container create", Kind::Images, Kind::Files},
    ArgumentValues{"container diff", Kind::Containers, Kind::Nothing},
    ArgumentValues{"container exec", Kind::Running, Kind::Files},
    ArgumentValues{"container export", Kind::Containers, Kind::Nothing},
    ArgumentValues{"container inspect", Kind::Containers, Kind::Containers},
    ArgumentValues{"container kill", Kind::Running, Kind::Running},
    ArgumentValues{"container logs", Kind::Containers, Kind::Nothing},
    ArgumentValues{"container pause", Kind::Running, Kind::Running},
    ArgumentValues{"container port", Kind::Containers, Kind::Nothing},
    ArgumentValues{"container rename", Kind::Containers, Kind::Nothing},
    ArgumentValues{"container restart", Kind::Containers, Kind::Containers},
    ArgumentValues{"container rm", Kind::Containers, Kind::Containers},
    ArgumentValues{"container run", Kind::Images, Kind::Files},
    ArgumentValues{"container start", Kind::Stopped, Kind::Stopped},
    ArgumentValues{"container stats", Kind::Running, Kind::Running},
    ArgumentValues{"container stop", Kind::Running, Kind::Running},
    ArgumentValues{"container top", Kind::Running, Kind::Nothing},
    ArgumentValues{"container unpause", Kind::Paused, Kind::Paused},
    ArgumentValues{"container update", Kind::Containers, Kind::Containers},
    ArgumentValues{"container wait", Kind::Containers, Kind::Containers},
    ArgumentValues{"context export", Kind::Contexts, Kind::Files},
    ArgumentValues{"context import", Kind::Nothing, Kind::Files},
    ArgumentValues{"context inspect", Kind::Contexts, Kind::Contexts},
    ArgumentValues{"context rm", Kind::Contexts, Kind::Contexts},
    ArgumentValues{"context update", Kind::Contexts, Kind::Nothing},
    ArgumentValues{"context use", Kind::Contexts, Kind::Nothing},
    ArgumentValues{"debug", Kind::Containers, Kind::Files},
    ArgumentValues{"image history", Kind::Images, Kind::Nothing},
    ArgumentValues{"image import", Kind::Files, Kind::Images},
    ArgumentValues{"image inspect", Kind::Images, Kind::Images},
    ArgumentValues{"image ls", Kind::Images, Kind::Nothing},
    ArgumentValues{"image pull", Kind::Images, Kind::Nothing},
    ArgumentValues{"image push", Kind::Images, Kind::Nothing},
    ArgumentValues{"image rm", Kind::Images, Kind::Images},
    ArgumentValues{"image save", Kind::Images, Kind::Images},
    ArgumentValues{"image tag", Kind::Images, Kind::Images},
    ArgumentValues{"inspect", Kind::Objects, Kind::Objects},
    ArgumentValues{"manifest create", Kind::Images, Kind::Images},
    ArgumentValues{"manifest inspect", Kind::Images, Kind::Images},
    ArgumentValues{"network connect", Kind::Networks, Kind::Containers},
    ArgumentValues{"network disconnect", Kind::Networks, Kind::Containers},
    ArgumentValues{"network inspect", Kind::Networks, Kind::Networks},
    ArgumentValues{"network rm", Kind::Networks, Kind::Networks},
    ArgumentValues{"volume inspect", Kind::Volumes, Kind::Volumes},
    ArgumentValues{"volume rm", Kind::Volumes, Kind::Volumes},
    ArgumentValues{"volume update", Kind::Volumes, Kind::Nothing},
};

struct NamedFlag {
  std::string_view command;  ///< "" : whichever
  std::string_view flag;
  Kind kind;
  std::string_view words = {};
};

constexpr std::string_view kSignals =
    "ABRT ALRM BUS CHLD CONT FPE HUP ILL INT IO KILL PIPE PROF QUIT SEGV STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 "
    "USR2 VTALRM WINCH XCPU XFSZ";
constexpr std::string_view kCapabilities =
    "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH "
    "FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN "
    "NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT "
    "SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM";
constexpr std::string_view kPlatforms =
    "linux/386 linux/amd64 linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm64 linux/ppc64le linux/riscv64 linux/s390x";

constexpr std::array kFlags{
    NamedFlag{"container ls", "filter", Kind::Filters,
              "ancestor before exited expose health id is-task label name network publish since status volume"},
    NamedFlag{"container prune", "filter", Kind::Filters, "label until"},
    NamedFlag{"image ls", "filter", Kind::Filters, "before dangling label reference since until"},
    NamedFlag{"image prune", "filter", Kind::Filters, "dangling label until"},
    NamedFlag{"network ls", "filter", Kind::Filters, "dangling driver id label name scope type"},
    NamedFlag{"network prune", "filter", Kind::Filters, "label until"},
    NamedFlag{"system events", "filter", Kind::Filters,
              "container daemon event image label network plugin scope type volume"},
    NamedFlag{"system prune", "filter", Kind::Filters, "label until"},
    NamedFlag{"volume ls", "filter", Kind::Filters, "dangling driver label name"},
    NamedFlag{"volume prune", "filter", Kind::Filters, "all label"},
    NamedFlag{"inspect", "type", Kind::Words, "container image network volume"},
    NamedFlag{"debug", "image", Kind::Images},
    NamedFlag{"context create", "from", Kind::Contexts},
    NamedFlag{"", "cap-add", Kind::Words, kCapabilities},
    NamedFlag{"", "cap-drop", Kind::Words, kCapabilities},
    NamedFlag{"", "cgroupns", Kind::Words, "host private"},
    NamedFlag{"", "context", Kind::Contexts},
    NamedFlag{"", "format", Kind::Words, "json table"},
    NamedFlag{"", "ipc", Kind::ContainerMode, "host none private shareable"},
    NamedFlag{"", "link", Kind::Containers},
    NamedFlag{"", "log-driver", Kind::Words, "fluentd gelf journald json-file local none syslog"},
    NamedFlag{"", "log-level", Kind::Words, "debug info warn error fatal"},
    NamedFlag{"", "network", Kind::Networks},
    NamedFlag{"", "pid", Kind::ContainerMode, "host"},
    NamedFlag{"", "platform", Kind::Words, kPlatforms},
    NamedFlag{"", "pull", Kind::Words, "always missing never"},
    NamedFlag{"", "restart", Kind::Words, "always no on-failure unless-stopped"},
    NamedFlag{"", "signal", Kind::Words, kSignals},
    NamedFlag{"", "stop-signal", Kind::Words, kSignals},
    NamedFlag{"", "userns", Kind::Words, "host"},
    NamedFlag{"", "uts", Kind::Words, "host"},
    NamedFlag{"", "volumes-from", Kind::Containers},
};

bool wanted(Kind kind, const std::string& state) {
  switch (kind) {
    case Kind::Running: return state == "running" || state == "paused";
    case Kind::Stopped: return state == "exited" || state == "created";
    case Kind::Paused: return state == "paused";
    default: return true;
  }
}

Result<std::vector<Candidate>> container_names(client::Client& client, Kind kind) {
  std::vector<Candidate> out;
  for (const auto& container : TRY(client::Containers{client}.list({.all = true, .filters = {}}))) {
    if (!wanted(kind, container.state)) continue;
    for (std::string_view name : container.names) {
      if (name.starts_with('/')) name.remove_prefix(1);
      // A name with a slash is a link's.
      if (name.find('/') == std::string_view::npos) out.push_back({std::string{name}, container.image});
    }
  }
  return out;
}

Result<std::vector<Candidate>> image_names(client::Client& client) {
  std::vector<Candidate> out;
  for (const auto& image : TRY(client::Images{client}.list(false, {}))) {
    for (const auto& tag : image.repo_tags) {
      if (tag != "<none>:<none>") out.push_back({tag, {}});
    }
  }
  return out;
}

Result<std::vector<Candidate>> names_in(const codec::Json& list) {
  std::vector<Candidate> out;
  for (const auto& item : list.as_array()) out.push_back({item["Name"].as_string(), item["Driver"].as_string()});
  return out;
}

Result<std::vector<Candidate>> ask(client::Client& client, Kind kind) {
  switch (kind) {
    case Kind::Images: return image_names(client);
    case Kind::Networks: return names_in(TRY(client.json({.path = "/networks"})));
    case Kind::Volumes: return names_in(TRY(client.json({.path = "/volumes"}))["Volumes"]);
    default: return container_names(client, kind);
  }
}

Result<std::vector<Candidate>> ask_all(Cli& cli, std::initializer_list<Kind> kinds) {
  client::Client& client = *TRY(cli.client());
  std::vector<Candidate> out;
  for (const auto kind : kinds) {
    auto part = TRY(ask(client, kind));
    out.insert(out.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
  }
  return out;
}

std::vector<Candidate> context_names(Cli& cli) {
  std::vector<Candidate> out{{std::string{kDefaultContext}, {}}};
  const auto contexts = cli.contexts().list();
  if (!contexts) return out;
  for (const auto& meta : *contexts) {
    out.push_back({meta["Name"].as_string(), meta["Metadata"]["Description"].as_string()});
  }
  return out;
}

void add_words(std::vector<Candidate>& out, std::string_view words, std::string_view suffix = {}) {
  for (const auto word : base::split_words(words, ' ')) out.push_back({std::string{word}.append(suffix), {}});
}

}  // namespace

ValueKind kind_of_argument(const CommandRow& row, std::size_t index) {
  const auto rule = row.rule();
  const bool bounded = rule.kind != ArgumentRule::Any && rule.kind != ArgumentRule::AtLeast;
  const std::size_t most = rule.kind == ArgumentRule::Exactly || rule.kind == ArgumentRule::ExactlyTerse ? rule.least
                                                                                                         : rule.most;
  if (bounded && index >= most) return Kind::Nothing;
  const auto at = std::ranges::find(kArguments, row.path, &ArgumentValues::command);
  if (at == kArguments.end()) return Kind::Files;
  return index == 0 ? at->first : at->rest;
}

FlagValues values_of_flag(const CommandRow& row, std::string_view flag) {
  for (const auto& known : kFlags) {
    if (known.flag == flag && (known.command.empty() || known.command == row.path)) return {known.kind, known.words};
  }
  return {};
}

Candidates candidates_of(Cli& cli, ValueKind kind, std::string_view words) {
  Candidates out;
  const auto take = [&](Result<std::vector<Candidate>> found) {
    if (found) {
      out.items = std::move(*found);
    } else {
      out.directive = kError;
    }
  };
  switch (kind) {
    case Kind::Files: out.directive = kDefault; break;
    case Kind::Nothing: break;
    case Kind::Contexts: out.items = context_names(cli); break;
    case Kind::Words: add_words(out.items, words); break;
    case Kind::Filters:
      add_words(out.items, words, "=");
      out.directive = kNoFiles | kNoSpace;
      break;
    case Kind::Objects:
      take(ask_all(cli, {Kind::Containers, Kind::Images, Kind::Networks, Kind::Volumes}));
      break;
    case Kind::CopyPath:
    case Kind::ContainerMode: {
      const bool of_copy = kind == Kind::CopyPath;
      take(ask_all(cli, {of_copy ? Kind::Containers : Kind::Running}));
      for (auto& item : out.items) item.text = of_copy ? item.text + ":" : "container:" + item.text;
      add_words(out.items, words);
      out.directive = of_copy ? kNoSpace : kNoFiles;
      break;
    }
    default: take(ask_all(cli, {kind})); break;
  }
  return out;
}

}  // namespace cli
