/// Graylog and others that take GELF, over UDP (compressed, in chunks) or TCP.
#include <array>

#include <unistd.h>

#include "base/log.h"
#include "forward/detail/gelf_text.h"
#include "forward/detail/link.h"
#include "forward/sink.h"

namespace forward {
namespace {

using base::Result;

class Gelf final : public Sink {
 public:
  Gelf(std::string constant, const logs::GelfOptions& options, detail::Link link)
      : constant_{std::move(constant)}, options_{options}, link_{std::move(link)} {}

  Result<> connect() { return link_.connect(); }

  Result<> send(std::span<const Message> messages, std::size_t& done) override {
    done = 0;
    TRY(link_.connect());
    if (link_.is_datagram()) {
      for (; done < messages.size(); ++done) TRY(send_datagrams(detail::gelf_text(constant_, messages[done])));
      return {};
    }
    std::string batch;
    for (const Message& message : messages) batch += detail::gelf_text(constant_, message) + '\0';
    TRY(link_.send(batch, {}));
    done = messages.size();
    return {};
  }

  [[nodiscard]] Patience patience() const override {
    if (link_.is_datagram()) return {};
    return {.retries = options_.max_reconnects, .pause = options_.reconnect_delay};
  }

 private:
  Result<> send_datagrams(const std::string& text) {
    const auto chunks = detail::gelf_chunks(TRY(detail::gelf_compress(text, options_.compression, options_.level)));
    if (!chunks) {
      base::log::warn("gelf: {}: left out", chunks.error().message());
      return {};
    }
    for (const std::string& chunk : *chunks) TRY(link_.send(chunk, {}));
    return {};
  }

  const std::string constant_;
  const logs::GelfOptions options_;
  detail::Link link_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_gelf(const logs::Config& config) {
  const auto options = TRY(logs::gelf_options(config.options));
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return base::internal("no host name");
  auto sink = std::make_unique<Gelf>(detail::gelf_constant(host.data(), config), options,
                                     TRY(detail::Link::make(options.endpoint)));
  TRY(sink->connect().context("gelf: cannot connect to GELF endpoint: " + config.options.at("gelf-address")));
  return std::unique_ptr<Sink>{std::move(sink)};
}

}  // namespace forward
