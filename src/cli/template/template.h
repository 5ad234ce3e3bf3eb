#pragma once
/// Go's text/template as docker's --format uses it. Pure.
///
///   const Template format = TRY(Template::parse("", "{{.Name}}\t{{json .Labels}}"));
///   TRY(format.execute(out, Value::of(json)));
///
/// Actions: pipelines, variables, if, range, with, break, continue, define, template, block, comments,
/// trim markers. Functions: functions.h. Source: the documentation of text/template; docker's own
/// functions are those of its page "Format command and log output".

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/template/ast.h"
#include "cli/template/value.h"

namespace cli::tmpl {

/// What a key that is not in a map is.
enum class MissingKey : bool { NoValue, Error };
/// Whether docker's functions do their work, or pass their first argument on: so a table's head is made
/// of its lines' template.
enum class Functions : bool { Work, PassOn };

class Template {
 public:
  /// Errors: InvalidArgument, "template: <name>:<line>: …".
  static base::Result<Template> parse(std::string_view name, std::string_view text);

  /// Appends to `out`; on an error what was printed before it stays there, as in Go.
  /// Errors: InvalidArgument, `template: <name>:1:2: executing "<name>" at <.X>: …`.
  base::Result<> execute(std::string& out, const Value& data, MissingKey missing_key = MissingKey::NoValue,
                         Functions functions = Functions::Work) const;

 private:
  Template(std::string name, Tree tree) : name_{std::move(name)}, tree_{std::move(tree)} {}
  std::string name_;
  Tree tree_;
};

}  // namespace cli::tmpl
