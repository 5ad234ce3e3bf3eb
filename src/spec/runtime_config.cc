#include "spec/runtime_config.h"

namespace spec::oci {

base::Result<Spec> parse_spec(std::string_view text) {
  return codec::from_json_text<Spec>(text).context("config.json");
}

std::string to_text(const Spec& spec) { return codec::to_json(spec).dump(); }

base::Result<Process> parse_process(std::string_view text) {
  return codec::from_json_text<Process>(text).context("process document");
}

base::Result<Resources> parse_resources(std::string_view text) {
  return codec::from_json_text<Resources>(text).context("resources document");
}

}  // namespace spec::oci
