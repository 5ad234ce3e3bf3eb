#include "cmd/caisson-runtime/bundle.h"

#include "sys/credentials.h"
#include "sys/file.h"

namespace caisson_runtime {

using base::Result;

Result<std::string> absolute_path(const std::string& given) {
  if (given.starts_with('/')) return given;
  const std::string here = TRY(sys::working_directory());
  return given.empty() || given == "." ? here : here + "/" + given;
}

Result<std::string> bundle_of(const Arguments& arguments) { return absolute_path(arguments.value_or("bundle", "")); }

Result<spec::oci::Spec> load_spec(const std::string& bundle) {
  auto text = sys::read_file(sys::kCwd, bundle + "/config.json");
  if (text.failed_as(base::ErrorKind::NotFound)) {
    return base::not_found("JSON specification file config.json not found");
  }
  return spec::oci::parse_spec(TRY(std::move(text)));
}

Result<> check_terminal(const spec::oci::Spec& spec, const runtime::CreateOptions& options, bool detached) {
  const bool terminal = spec.process && spec.process->terminal;
  const bool socket = !options.console_socket.empty();
  if (detached && terminal && !socket) {
    return base::invalid("cannot allocate tty if runc will detach without setting console socket");
  }
  if ((!detached || !terminal) && socket) {
    return base::invalid("cannot use console socket if runc will not detach or allocate tty");
  }
  return {};
}

}  // namespace caisson_runtime
