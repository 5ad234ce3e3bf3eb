#pragma once
/// YAML 1.1 documents as the JSON that they stand for. Source: yaml.org/spec/1.1, read by libyaml.
///
/// Plain scalars become null, booleans and numbers by the rules of JSON's readers (true, 42, 0o17, 1.5, ~),
/// anything else is a string: "yes" and "on" stay words. Merge keys (<<) and tags of types are not known.

#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace codec {

/// The first document of `text`; an empty text is null. Errors: InvalidArgument with libyaml's reason and the
/// line, also for more than 64 levels, two members of one name, and aliases that would grow past 100,000
/// values ("billion laughs").
base::Result<Json> parse_yaml(std::string_view text);

}  // namespace codec
