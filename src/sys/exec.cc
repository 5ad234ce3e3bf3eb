#include "sys/exec.h"

#include <cerrno>

#include <unistd.h>

namespace sys {
namespace {

constexpr int kFirst = 3;

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

/// Above all places first: one must not be overwritten before it was moved.
base::Result<> put_in_place(std::vector<UniqueFd>& kept) {
  for (UniqueFd& fd : kept) fd = TRY(duplicate(fd.get(), kFirst + static_cast<int>(kept.size())));
  int place = kFirst;
  for (const UniqueFd& fd : kept) TRY(duplicate_onto(fd.get(), place++));
  return {};
}

}  // namespace

base::Error replace_program(const std::string& path, const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment, std::vector<UniqueFd> kept) {
  if (auto placed = put_in_place(kept); !placed) return std::move(placed).error();
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  ::execve(path.c_str(), argv.data(), envp.data());
  const int error = errno;
  ::execve("/proc/self/exe", argv.data(), envp.data());
  return base::Error::from_errno(error, "execute " + path);
}

std::vector<std::string> whole_environment() {
  std::vector<std::string> variables;
  for (char** one = ::environ; one != nullptr && *one != nullptr; ++one) variables.emplace_back(*one);
  return variables;
}

}  // namespace sys
