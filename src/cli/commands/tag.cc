#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/all.h"
#include "cli/cli.h"
#include "client/images.h"
#include "spec/reference.h"

namespace cli {

using base::Result;

namespace {

Result<spec::Reference> parse(const std::string& text) {
  auto reference = spec::Reference::parse(text);
  if (!reference) {
    return base::invalid(fmt::format("Error parsing reference: {} is not a valid repository/tag: {}",
                                     base::quoted(text), reference.error().message()));
  }
  return reference;
}

class Tag final : public Command {
 public:
  Result<int> run(Cli& cli, const Invocation& invocation) override {
    const auto& source = invocation.arguments[0];
    if (!spec::is_image_id(source) && !base::Digest::parse(source)) TRY(parse(source));
    const auto target = TRY(parse(invocation.arguments[1]));
    if (!target.digest().empty()) return base::invalid("refusing to create a tag with a digest reference");
    client::Client& client = *TRY(cli.client());
    TRY(client::Images{client}.tag(source, target.name(), target.with_default_tag().tag()));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_tag() { return std::make_unique<Tag>(); }

}  // namespace cli
