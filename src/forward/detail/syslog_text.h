#pragma once
/// Lines of syslog, as docker's driver words them.

#include <string>

#include "forward/message.h"
#include "logs/remote_options.h"

namespace forward::detail {

struct SyslogText {
  logs::SyslogFormat format = logs::SyslogFormat::Unix;
  unsigned facility = 3;
  std::string host, tag;
  long pid = 0;
  /// TLS with RFC 5424 has each line's length before it (RFC 5425); all others end in a newline.
  bool counted = false;

  [[nodiscard]] std::string of(const Message& message) const;
};

}  // namespace forward::detail
