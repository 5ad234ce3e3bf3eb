/// fluentd and fluent-bit, by the forward protocol in its "message" mode, as docker's driver speaks it.
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/id.h"
#include "forward/detail/link.h"
#include "forward/detail/msgpack.h"
#include "forward/sink.h"

namespace forward {
namespace {

using base::Result;
namespace msgpack = detail::msgpack;

class Fluentd final : public Sink {
 public:
  Fluentd(const logs::Config& config, const logs::FluentdOptions& options, detail::Link link)
      : options_{options}, origin_{config.origin}, attributes_{config.attributes}, link_{std::move(link)} {}

  Result<> connect() { return link_.connect(); }

  Result<> send(std::span<const Message> messages, std::size_t& done) override {
    done = 0;
    const auto age = std::chrono::steady_clock::now() - link_.since();
    if (options_.async && options_.reconnect_interval.count() != 0 && age >= options_.reconnect_interval) {
      link_.disconnect();
    }
    TRY(link_.connect());
    if (options_.request_ack) {
      for (; done < messages.size(); ++done) TRY(send_acknowledged(messages[done]));
      return {};
    }
    std::string batch;
    for (const Message& message : messages) append(batch, message, {});
    TRY(link_.send(batch, options_.write_timeout));
    done = messages.size();
    return {};
  }

  [[nodiscard]] Patience patience() const override {
    return {.bytes = options_.buffer_limit, .holds_back = !options_.async, .retries = options_.max_retries,
            .pause = options_.retry_wait};
  }

 private:
  void append(std::string& out, const Message& message, std::string_view chunk) const {
    msgpack::append_array(out, chunk.empty() ? 3 : 4);
    msgpack::append_string(out, origin_.tag);
    if (options_.sub_second) {
      msgpack::append_event_time(out, message.time);
    } else {
      const auto seconds = std::chrono::floor<std::chrono::seconds>(message.time.time_since_epoch());
      msgpack::append_number(out, static_cast<std::uint64_t>(seconds.count()));
    }
    msgpack::append_map(out, 4 + (message.piece ? 4 : 0) + attributes_.size());
    const auto member = [&](std::string_view name, std::string_view value) {
      msgpack::append_string(out, name);
      msgpack::append_string(out, value);
    };
    member("container_id", origin_.id);
    member("container_name", "/" + origin_.name);
    member("source", name_of(message.stream));
    member("log", message.line);
    if (message.piece) {
      member("partial_message", "true");
      member("partial_id", message.piece->id);
      member("partial_ordinal", fmt::to_string(message.piece->ordinal));
      member("partial_last", message.piece->last ? "true" : "false");
    }
    for (const auto& [name, value] : attributes_) member(name, value);
    if (chunk.empty()) return;
    msgpack::append_map(out, 1);
    msgpack::append_string(out, "chunk");
    msgpack::append_string(out, chunk);
  }

  Result<> send_acknowledged(const Message& message) {
    TRY(link_.connect());
    const std::string chunk = base::base64(base::random_hex(24));
    std::string out;
    append(out, message, chunk);
    TRY(link_.send(out, options_.write_timeout));
    std::string expected;
    msgpack::append_map(expected, 1);
    msgpack::append_string(expected, "ack");
    msgpack::append_string(expected, chunk);
    std::string got;
    while (got.size() < expected.size()) {
      std::array<char, 256> buffer;  // NOLINT: written before it is read
      const std::size_t count = TRY(link_.receive(buffer, options_.read_timeout));
      if (count == 0) return base::unavailable("fluentd closed the connection without an acknowledgement");
      got.append(buffer.data(), count);
    }
    if (got == expected) return {};
    link_.disconnect();
    return base::unavailable("fluentd acknowledged something else than what was sent");
  }

  const logs::FluentdOptions options_;
  const logs::Origin origin_;
  const std::map<std::string, std::string> attributes_;
  detail::Link link_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_fluentd(const logs::Config& config) {
  const auto options = TRY(logs::fluentd_options(config.options));
  auto sink = std::make_unique<Fluentd>(config, options, TRY(detail::Link::make(options.endpoint)));
  auto connected = sink->connect();
  if (!connected && !options.async) return std::move(connected).error();
  return std::unique_ptr<Sink>{std::move(sink)};
}

}  // namespace forward
