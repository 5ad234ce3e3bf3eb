#pragma once
/// Compiled filters, kept from one container to the next.
///
/// <directory>/<128 bits of hash, hex>: the whole section in a canonical binary form, then the program.
/// A file counts only if its section is byte for byte the wanted one, so a hash collision costs a
/// compilation and nothing else, and if its own checksum is right, so a torn write does the same. The
/// directory is root's, mode 0700: who can write there is root anyway.

#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/detail/seccomp_compile.h"
#include "sys/fd.h"

namespace runtime::detail {

/// The program for `section`, from the cache or compiled and then put there. `file` is where it is
/// now, empty if the cache could not be written (which is no error).
struct CachedProgram {
  SeccompProgram program;
  std::string file;
};
base::Result<CachedProgram> cached_seccomp(const std::string& directory, const spec::oci::Seccomp& section);

/// Writes the program alone, for a container's own directory, and reads it back. Errors of reading:
/// NotFound, Internal when the file is not what was written.
base::Result<> write_seccomp(const std::string& path, const SeccompProgram& program);
base::Result<SeccompProgram> read_seccomp(const std::string& path);

}  // namespace runtime::detail
