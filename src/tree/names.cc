#include "tree/names.h"

#include <vector>

#include <fmt/format.h>

#include "base/strings.h"

namespace tree {

using base::Result;

Result<std::string> clean_path(std::string_view path, std::size_t limit) {
  if (path.empty()) return base::invalid("the name is empty");
  if (path.find('\0') != std::string_view::npos) return base::invalid("the name has a NUL byte");
  if (limit != 0 && path.size() > limit) {
    return base::invalid(fmt::format("the name has {} bytes, at most {} are allowed", path.size(), limit));
  }
  std::string out;
  std::size_t begin = 0;
  while (begin < path.size()) {
    std::size_t end = path.find('/', begin);
    if (end == std::string_view::npos) end = path.size();
    const std::string_view part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      if (!out.empty()) out += '/';
      out.append(part);
      continue;
    }
    if (out.empty()) {
      // "/.." is "/" everywhere, but a relative name has no business above its root.
      if (path.front() == '/') continue;
      return base::invalid("it would be placed outside of the root");
    }
    const auto slash = out.rfind('/');
    out.resize(slash == std::string::npos ? 0 : slash);
  }
  return out;
}

Place split_path(std::string_view clean) {
  const auto slash = clean.rfind('/');
  if (slash == std::string_view::npos) return {"", clean};
  return {clean.substr(0, slash), clean.substr(slash + 1)};
}

XattrRule rule_of(std::string_view xattr) {
  if (xattr.starts_with("trusted.") || xattr.starts_with("user.overlay.")) return XattrRule::Refuse;
  if (xattr.starts_with("user.") || xattr == "security.capability") return XattrRule::Keep;
  return XattrRule::Ignore;
}

}  // namespace tree
