#include "engine/containers/streams.h"

#include "base/log.h"
#include "base/strings.h"
#include "engine/containers/launch.h"
#include "logs/reader.h"

namespace engine {
namespace {

base::Result<> write_log(const logs::Config& config, const shim::Attachment& attachment, int connection) {
  const auto reader = TRY(logs::Reader::open(config, {.out = attachment.out, .err = attachment.err}));
  logs::Entry entry;
  while (TRY(reader->next(entry, {}))) {
    const auto stream = static_cast<unsigned>(entry.stream);
    TRY(sys::write_all(connection, attachment.multiplexed ? framed(stream, entry.line) : entry.line));
  }
  return {};
}

bool is_control_letter(char c) {
  return (c >= 'a' && c <= 'z') || c == '@' || c == '[' || c == '\\' || c == ']' || c == '^' || c == '_';
}

}  // namespace

std::string framed(unsigned stream, std::string_view text) {
  std::string frame{static_cast<char>(stream), 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(text.size() >> static_cast<unsigned>(shift) & 0xffU);
  return frame.append(text);
}

void replay(Core& core, std::shared_ptr<const Record> record, sys::UniqueFd connection,
            const shim::Attachment& attachment) {
  core.workers.post([config = log_config(core, *record), record, attachment, fd = std::move(connection)] {
    if (!attachment.logs) return;
    base::ignore(sys::set_nonblocking(fd.get(), false), "then the write below says what is wrong");
    if (const auto written = write_log(config, attachment, fd.get()); !written) {
      base::log::debug("container {}: log not replayed: {}", record->id, written.error().message());
    }
  });
}

base::Result<std::string> check_detach_keys(const std::string& keys) {
  if (keys.empty()) return std::string{"ctrl-p,ctrl-q"};
  for (const std::string_view key : base::split(keys, ',')) {
    const bool control = key.starts_with("ctrl-") && key.size() == 6 && is_control_letter(key[5]);
    if (key.size() != 1 && !control) return base::invalid("Invalid detach keys (" + keys + ") provided");
  }
  return keys;
}

}  // namespace engine
