#pragma once
/// Output of every `inspect`: an array, a template per object, or JSON.

#include <optional>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "cli/cli.h"
#include "cli/template/value.h"
#include "codec/json.h"

namespace cli {

struct Inspected {
  codec::Json raw;
  /// The object by its type, when this program knows it: then fields that it lacks are looked for in
  /// `raw`.
  std::optional<tmpl::Value> typed;
  /// Written with Go's escapes of <, > and &: what docker's client makes itself, not the daemon.
  bool escaped = false;
};

/// Asks `find` for each name and prints what came; errors go to stderr. The exit status.
/// Errors: a template that can't be parsed (64 is docker's status for it), or executed.
base::Result<int> print_inspected(Cli& cli, const std::vector<std::string>& names, const std::string& format,
                                  base::FunctionRef<base::Result<Inspected>(const std::string&)> find);

/// A container or image with its typed form.
Inspected inspected_container(codec::Json raw);
Inspected inspected_image(codec::Json raw);

}  // namespace cli
