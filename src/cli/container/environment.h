#pragma once
/// -e, -l and the files with one of them per line.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/engine/container.h"

namespace cli {

// For flags::custom.
base::Result<> add_env(std::vector<std::string>& env, std::string_view text);
base::Result<> add_label(std::vector<std::string>& labels, std::string_view text);

/// The files' lines, then the flags'; a name without "=" takes this process's value if it has one, and
/// goes as it is if not. Errors: NotFound ("open x: no such file or directory"), InvalidArgument.
base::Result<std::vector<std::string>> collect_env(const std::vector<std::string>& files,
                                                   const std::vector<std::string>& env);
base::Result<spec::api::Labels> collect_labels(const std::vector<std::string>& files,
                                               const std::vector<std::string>& labels);
/// "k=v" → k: v, "k" → k: "".
[[nodiscard]] spec::api::Labels to_map(const std::vector<std::string>& pairs);

/// Reads a file that the command line names. Errors: NotFound and others in Go's words,
/// "open <path>: no such file or directory".
base::Result<std::string> read_user_file(const std::string& path);
/// The same words for any failure to open: `error` as sys has it.
[[nodiscard]] base::Error open_failure(const std::string& path, const base::Error& error,
                                       std::string_view call = "open");

}  // namespace cli
