/// syslog: RFC 3164 and 5424 over UDP, TCP, TLS and unix sockets.
#include <array>

#include <unistd.h>

#include "forward/detail/link.h"
#include "forward/detail/syslog_text.h"
#include "forward/sink.h"
#include "sys/file.h"

namespace forward {
namespace {

using base::Result;

class Syslog final : public Sink {
 public:
  Syslog(detail::Link link, detail::SyslogText text) : link_{std::move(link)}, text_{std::move(text)} {}

  Result<> connect() { return link_.connect(); }

  Result<> send(std::span<const Message> messages, std::size_t& done) override {
    done = 0;
    TRY(link_.connect());
    if (link_.is_datagram()) {
      for (; done < messages.size(); ++done) TRY(link_.send(text_.of(messages[done]), {}));
      return {};
    }
    std::string batch;
    for (const Message& message : messages) batch += text_.of(message);
    TRY(link_.send(batch, {}));
    done = messages.size();
    return {};
  }

 private:
  detail::Link link_;
  const detail::SyslogText text_;
};

/// The host's own: wherever one listens.
Result<logs::Endpoint> local_syslog() {
  for (const char* path : {"/dev/log", "/var/run/syslog", "/var/run/log"}) {
    if (TRY(sys::exists(sys::kCwd, path))) return logs::Endpoint{.scheme = "unixgram", .path = path};
  }
  return base::unavailable("Unix syslog delivery error: nobody listens on /dev/log");
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

Result<std::unique_ptr<Sink>> open_syslog(const logs::Config& config) {
  logs::SyslogOptions options = TRY(logs::syslog_options(config.options));
  if (options.endpoint.scheme.empty()) options.endpoint = TRY(local_syslog());
  const bool rfc5424 = options.format == logs::SyslogFormat::Rfc5424 || options.format == logs::SyslogFormat::Rfc5424Micro;
  detail::SyslogText text{.format = options.format, .facility = options.facility, .host = host_name(),
                          .tag = config.origin.tag, .pid = ::getpid(),
                          .counted = rfc5424 && options.endpoint.scheme == "tcp+tls"};
  auto sink = std::make_unique<Syslog>(TRY(detail::Link::make(options.endpoint, options.tls)), std::move(text));
  TRY(sink->connect());
  return std::unique_ptr<Sink>{std::move(sink)};
}

}  // namespace forward
