#pragma once
/// The flags of a bind mount. As runc has it, and as the users of its configurations expect: where the
/// options name no flag (`["rbind"]`), those of the source stay; where they name one (`["rbind", "ro"]`),
/// those that they don't name are off, whatever the source has. How access times are kept changes only where
/// it is named.
///
/// What a user namespace may not take away (mount_namespaces(7), "Restrictions on mount namespaces") is not
/// taken away for one either, though its binds are made with the host's rights: an unnamed flag stays then,
/// and clearing one by name is an error.

#include "base/result.h"
#include "runtime/detail/mount_options.h"

namespace runtime::detail {

/// Flags, recursive flags and propagation of the detached mount `tree`. `for_user_namespace`: see above.
/// Errors: PermissionDenied.
base::Result<> apply_bind_options(int tree, const MountOptions& options, bool for_user_namespace);

}  // namespace runtime::detail
