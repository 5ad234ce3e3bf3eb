/// attach, wait, logs and stats: the answers of a container that take time.

#include <array>

#include "api/router.h"
#include "api/stream_type.h"
#include "base/strings.h"
#include "http/websocket.h"
#include "sys/socket.h"

namespace api {

using base::Result;

namespace {

engine::Containers& containers(Call& call) { return call.services().containers; }

engine::AttachOptions attach_options(const Call& call) {
  engine::AttachOptions options;
  options.stream = call.flag("stream");
  options.logs = call.flag("logs");
  options.in = call.flag("stdin");
  options.out = call.flag("stdout");
  options.err = call.flag("stderr");
  options.detach_keys = call.text("detachKeys");
  return options;
}

Result<> attach(Call& call) {
  const auto ticket = TRY(containers(call).attach(call.path("id"), attach_options(call)));
  auto connection = TRY(call.exchange().hijack_stream(stream_type(call.version(), ticket->tty())));
  return ticket->connect(std::move(connection.socket), std::move(connection.prefix));
}

/// The frames need somebody who makes them, so these bytes do cross the daemon.
Result<> attach_websocket(Call& call) {
  auto options = attach_options(call);
  options.multiplexed = false;
  const auto ticket = TRY(containers(call).attach(call.path("id"), options));
  auto websocket = TRY(http::accept_websocket(call.exchange()));
  auto pair = TRY(sys::make_socket_pair(SOCK_STREAM));
  TRY(ticket->connect(std::move(pair.first), {}));
  return http::bridge_websocket(std::move(websocket), std::move(pair.second));
}

Result<engine::WaitCondition> wait_condition(const std::string& name) {
  if (name.empty() || name == "not-running") return engine::WaitCondition::NotRunning;
  if (name == "next-exit") return engine::WaitCondition::NextExit;
  if (name == "removed") return engine::WaitCondition::Removed;
  return base::invalid("invalid condition: \"" + name + "\"");
}

Result<> wait(Call& call) {
  const auto condition = TRY(wait_condition(call.text("condition")));
  const auto pending = TRY(containers(call).wait(call.path("id"), condition));
  // The head says that the wait is registered: a client starts the container only then.
  TRY(call.exchange().begin(200, {{"Content-Type", "application/json"}}));
  const auto response = TRY(pending->get(call.exchange().stop_token()));
  TRY(call.exchange().write(codec::to_json(response).dump() + "\n"));
  return call.exchange().finish();
}

Result<std::optional<std::uint64_t>> tail_of(const std::string& text) {
  if (text.empty() || text == "all") return std::optional<std::uint64_t>{};
  const auto number = base::parse_int(text);
  // As docker: what is no number, and a negative one, means all.
  if (!number || *number < 0) return std::optional<std::uint64_t>{};
  return std::optional{static_cast<std::uint64_t>(*number)};
}

/// One entry as the client wants it: [frame head] [time] [details] line.
class EntryWriter {
 public:
  EntryWriter(bool framed, bool timestamps, bool details)
      : framed_{framed}, timestamps_{timestamps}, details_{details} {}

  void append(std::string& out, const engine::LogEntry& entry) {
    const std::size_t head = out.size();
    if (framed_) out.append(kHeadSize, '\0');
    const std::size_t start = out.size();
    if (timestamps_) out.append(base::to_rfc3339(entry.time, base::Fraction::Nine)).append(" ");
    if (details_) append_details(out, entry.attributes);
    out += entry.line;
    if (framed_) write_head(out, head, entry.stream, out.size() - start);
  }

 private:
  static constexpr std::size_t kHeadSize = 8;

  static void append_details(std::string& out, const spec::api::Labels& attributes) {
    bool first = true;
    for (const auto& [key, value] : attributes) {
      if (!first) out += ',';
      first = false;
      out.append(http::encode_query(key)).append("=").append(http::encode_query(value));
    }
    out += ' ';
  }

  static void write_head(std::string& out, std::size_t at, engine::LogEntry::Stream stream, std::size_t size) {
    out[at] = static_cast<char>(stream);
    for (unsigned i = 0; i < 4; ++i) out[at + 4 + i] = static_cast<char>(size >> (24 - 8 * i) & 0xffU);
  }

  bool framed_, timestamps_, details_;
};

Result<> logs(Call& call) {
  constexpr std::size_t kBatch = std::size_t{64} << 10U;
  engine::LogOptions options;
  options.out = call.flag("stdout");
  options.err = call.flag("stderr");
  options.follow = call.flag("follow");
  options.since = TRY(call.time("since"));
  options.until = TRY(call.time("until"));
  options.tail = TRY(tail_of(call.text("tail")));
  if (!options.out && !options.err) {
    return base::invalid("Bad parameters: you must choose at least one stream");
  }
  const bool tty = TRY(containers(call).has_tty(call.path("id")));
  const auto reader = TRY(containers(call).logs(call.path("id"), options));
  TRY(call.exchange().begin(200, {{"Content-Type", std::string{stream_type(call.version(), tty)}}}));
  EntryWriter writer{!tty, call.flag("timestamps"), call.flag("details")};
  engine::LogEntry entry;
  std::string batch;
  while (TRY(reader->next(entry, call.exchange().stop_token()))) {
    writer.append(batch, entry);
    if (batch.size() < kBatch && reader->ready()) continue;
    TRY(call.exchange().write(batch));
    batch.clear();
  }
  if (!batch.empty()) TRY(call.exchange().write(batch));
  return call.exchange().finish();
}

Result<> stats(Call& call) {
  const bool stream = call.flag("stream", true);
  const bool one_shot = call.flag("one-shot");
  if (stream && one_shot) return base::invalid("cannot have stream=true and one-shot=true");
  const auto samples = TRY(containers(call).stats(call.path("id")));
  spec::api::ContainerStats sample;
  const auto stop = call.exchange().stop_token();
  if (!stream) {
    // Two of them, so that there is one before: a share of the CPU is a difference.
    bool more = TRY(samples->next(sample, stop));
    if (!one_shot && more && sample.read != spec::api::ContainerStats::kNever) more = TRY(samples->next(sample, stop));
    if (!more) return base::not_found("No such container: " + call.path("id"));
    auto json = codec::to_json(sample);
    adapt_stats(json, call.version());
    return call.reply(200, json);
  }
  TRY(call.exchange().begin(200, {{"Content-Type", "application/json"}}));
  while (TRY(samples->next(sample, stop))) {
    auto json = codec::to_json(sample);
    adapt_stats(json, call.version());
    TRY(call.exchange().write(json.dump() + "\n"));
  }
  return call.exchange().finish();
}

constexpr std::array kRoutes{
    Route{"POST", "/containers/{id}/attach", attach},
    Route{"GET", "/containers/{id}/attach/ws", attach_websocket},
    Route{"POST", "/containers/{id}/wait", wait},
    Route{"GET", "/containers/{id}/logs", logs},
    Route{"GET", "/containers/{id}/stats", stats},
};

}  // namespace

std::span<const Route> stream_routes() { return kRoutes; }

}  // namespace api
