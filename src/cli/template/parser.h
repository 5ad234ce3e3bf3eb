#pragma once
/// Go's text/template: tokens to a tree. Pure. Source: the package's documentation.

#include <string_view>

#include "base/result.h"
#include "cli/template/ast.h"

namespace cli::tmpl {

/// `name` is what messages call the template. Errors: InvalidArgument with Go's message,
/// "template: name:1: unexpected EOF".
base::Result<Tree> parse(std::string_view name, std::string_view text);

}  // namespace cli::tmpl
