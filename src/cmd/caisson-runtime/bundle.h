#pragma once
/// What create, run and restore read of a bundle.

#include <string>

#include "base/result.h"
#include "cmd/caisson-runtime/arguments.h"
#include "runtime/container.h"
#include "spec/runtime_config.h"

namespace caisson_runtime {

/// A path of the command line, absolute: it is recorded, and read by others. Empty: the working directory.
base::Result<std::string> absolute_path(const std::string& given);
/// --bundle, or the working directory.
base::Result<std::string> bundle_of(const Arguments& arguments);
/// Errors: NotFound, InvalidArgument.
base::Result<spec::oci::Spec> load_spec(const std::string& bundle);
/// A terminal needs somebody who takes its master. Errors: InvalidArgument.
base::Result<> check_terminal(const spec::oci::Spec& spec, const runtime::CreateOptions& options, bool detached);

}  // namespace caisson_runtime
