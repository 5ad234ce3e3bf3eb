#include "cmd/caissond/handover.h"

#include <algorithm>

#include "base/strings.h"
#include "sys/exec.h"
#include "sys/file.h"

namespace caissond {

base::Result<Handover> Handover::prepare(std::span<char* const> arguments) {
  Handover handover;
  handover.program_ = TRY(sys::self_exe());
  // Started by a predecessor whose file had been replaced by one that can't run: the name is still the right one.
  constexpr std::string_view kGone = " (deleted)";
  if (handover.program_.ends_with(kGone)) handover.program_.resize(handover.program_.size() - kGone.size());
  handover.arguments_.push_back(handover.program_);
  for (const char* argument : arguments) handover.arguments_.emplace_back(argument);
  return handover;
}

base::Error Handover::execute(std::vector<http::Listener> listeners) const {
  std::vector<std::string> hosts;
  std::vector<sys::UniqueFd> sockets;
  for (http::Listener& listener : listeners) {
    hosts.push_back(listener.host);
    sockets.push_back(std::move(listener.socket));
  }
  auto environment = sys::whole_environment();
  std::erase_if(environment, [](const std::string& variable) {
    return variable.starts_with("LISTEN_") || variable.starts_with(http::kHandedOver);
  });
  environment.push_back(std::string{http::kHandedOver} + "=" + base::join(hosts, "\n"));
  return sys::replace_program(program_, arguments_, environment, std::move(sockets));
}

}  // namespace caissond
