#include "runtime/detail/seccomp_compile.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/seccomp_emit.h"

namespace runtime::detail {

using base::Result;
using spec::oci::Seccomp;

namespace {

constexpr std::uint32_t kX32Bit = 0x40000000;
constexpr std::uint32_t kNoCall = 0xffffffff;  ///< what a tracer sets to skip a call

struct ActionName {
  std::string_view name;
  std::uint32_t value;
  bool takes_errno;
};
constexpr std::array<ActionName, 9> kActions{{
    {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false},
    {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false},
    {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false},
    {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false},
    {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true},
    {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true},
    {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false},
    {"SCMP_ACT_LOG", SECCOMP_RET_LOG, false},
    {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, false},
}};

constexpr std::array<std::pair<std::string_view, Comparison>, 7> kOperators{{
    {"SCMP_CMP_NE", Comparison::NotEqual},
    {"SCMP_CMP_LT", Comparison::Less},
    {"SCMP_CMP_LE", Comparison::LessOrEqual},
    {"SCMP_CMP_EQ", Comparison::Equal},
    {"SCMP_CMP_GE", Comparison::GreaterOrEqual},
    {"SCMP_CMP_GT", Comparison::Greater},
    {"SCMP_CMP_MASKED_EQ", Comparison::MaskedEqual},
}};

constexpr std::array<std::pair<std::string_view, std::uint32_t>, 4> kFlags{{
    // Who loads the filter has one thread: there is nothing to synchronize.
    {"SECCOMP_FILTER_FLAG_TSYNC", 0},
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1U << 5U},
}};

Result<std::uint32_t> action_value(const std::string& name, std::optional<std::uint32_t> errno_ret) {
  for (const auto& action : kActions) {
    if (action.name != name) continue;
    if (!action.takes_errno) return action.value;
    const std::uint32_t number = errno_ret.value_or(EPERM);
    if (number > SECCOMP_RET_DATA) return base::invalid(fmt::format("seccomp errnoRet {} is too large", number));
    return action.value | number;
  }
  return base::invalid("unknown seccomp action " + base::quoted(name));
}

Result<Condition> condition_of(const spec::oci::SeccompArg& arg) {
  if (arg.index > 5) return base::invalid(fmt::format("seccomp argument index {} is over 5", arg.index));
  for (const auto& [name, comparison] : kOperators) {
    if (name == arg.op) return Condition{arg.index, comparison, arg.value, arg.value_two};
  }
  return base::invalid("unknown seccomp operator " + base::quoted(arg.op));
}

/// Several conditions on one argument can't all be meant: then each is an alternative of its own.
std::vector<std::vector<Condition>> alternatives_of(const std::vector<Condition>& conditions) {
  std::array<int, 6> uses{};
  for (const auto& one : conditions) ++uses.at(one.argument);
  if (std::ranges::all_of(uses, [](int count) { return count < 2; })) return {conditions};
  std::vector<std::vector<Condition>> out;
  for (const auto& one : conditions) out.push_back({one});
  return out;
}

/// i386's system calls that are also reached through a multiplexer, and the multiplexer's number there.
struct Multiplexed {
  std::string_view name;
  std::uint32_t through;
  std::uint32_t call;
};
constexpr std::uint32_t kSocketcall = 102;
constexpr std::uint32_t kIpc = 117;
constexpr std::array<Multiplexed, 32> kMultiplexed{{
    {"socket", kSocketcall, 1},      {"bind", kSocketcall, 2},        {"connect", kSocketcall, 3},
    {"listen", kSocketcall, 4},      {"accept", kSocketcall, 5},      {"getsockname", kSocketcall, 6},
    {"getpeername", kSocketcall, 7}, {"socketpair", kSocketcall, 8},  {"send", kSocketcall, 9},
    {"recv", kSocketcall, 10},       {"sendto", kSocketcall, 11},     {"recvfrom", kSocketcall, 12},
    {"shutdown", kSocketcall, 13},   {"setsockopt", kSocketcall, 14}, {"getsockopt", kSocketcall, 15},
    {"sendmsg", kSocketcall, 16},    {"recvmsg", kSocketcall, 17},    {"accept4", kSocketcall, 18},
    {"recvmmsg", kSocketcall, 19},   {"sendmmsg", kSocketcall, 20},   {"semop", kIpc, 1},
    {"semget", kIpc, 2},             {"semctl", kIpc, 3},             {"semtimedop", kIpc, 4},
    {"msgsnd", kIpc, 11},            {"msgrcv", kIpc, 12},            {"msgget", kIpc, 13},
    {"msgctl", kIpc, 14},            {"shmat", kIpc, 21},             {"shmdt", kIpc, 22},
    {"shmget", kIpc, 23},            {"shmctl", kIpc, 24},
}};

/// Everything that the section says about one value of seccomp_data.arch.
struct Architecture {
  std::map<std::uint32_t, Decision> calls;
  std::optional<std::uint32_t> highest;      ///< the highest number named, below kX32Bit
  std::optional<std::uint32_t> highest_x32;  ///< the same at and above it
  bool native = false;                       ///< x86_64 itself is listed, not only x32
  bool x32 = false;
};

void add_rule(Architecture& to, std::uint32_t number, const std::vector<Condition>& conditions, std::uint32_t action) {
  Decision& decision = to.calls[number];
  if (decision.always) return;
  if (conditions.empty()) {
    decision.always = action;
    decision.alternatives.clear();
    return;
  }
  for (auto& one : alternatives_of(conditions)) decision.alternatives.push_back({std::move(one), action});
}

Result<std::uint32_t> architecture_token(const std::string& name) {
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  const std::string plain = base::to_lower(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name);
  const std::uint32_t token = ::seccomp_arch_resolve_name(plain.c_str());
  if (token == 0) return base::invalid("unknown seccomp architecture " + base::quoted(name));
  return token;
}

class Compiler {
 public:
  static Result<SeccompProgram> compile(const Seccomp& section) {
    Compiler compiler;
    compiler.default_ = TRY(action_value(section.default_action, section.default_errno_ret));
    TRY(compiler.choose_architectures(section));
    for (const auto& syscalls : section.syscalls) TRY(compiler.add(syscalls));
    compiler.enosys_above_ = compiler.denies_unknown(section);
    SeccompProgram out;
    out.notifies = compiler.notifies_;
    out.flags = TRY(flags_of(section));
    for (const auto& [audit, architecture] : compiler.architectures_) {
      compiler.emit(audit, architecture);
    }
    out.code = TRY(std::move(compiler.emitter_).finish(SECCOMP_RET_KILL_THREAD));
    return out;
  }

 private:
  static Result<std::uint32_t> flags_of(const Seccomp& section) {
    // What runc does when nothing is said: no slower speculation for the sake of the filter.
    if (section.flags.empty()) return std::uint32_t{SECCOMP_FILTER_FLAG_SPEC_ALLOW};
    std::uint32_t flags = 0;
    for (const auto& name : section.flags) {
      const auto* found = std::ranges::find(kFlags, name, [](const auto& row) { return row.first; });
      if (found == kFlags.end()) return base::invalid("unknown seccomp flag " + base::quoted(name));
      flags |= found->second;
    }
    return flags;
  }

  Result<> choose_architectures(const Seccomp& section) {
    tokens_.clear();
    for (const auto& name : section.architectures) tokens_.push_back(TRY(architecture_token(name)));
    if (tokens_.empty()) tokens_.push_back(::seccomp_arch_native());
    for (const std::uint32_t token : tokens_) {
      Architecture& one = architectures_[audit_of(token)];
      (token == SCMP_ARCH_X32 ? one.x32 : one.native) = true;
    }
    return {};
  }

  /// x32 shares x86_64's value; every other token is the kernel's value.
  static std::uint32_t audit_of(std::uint32_t token) { return token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token; }

  Result<> add(const spec::oci::SeccompSyscalls& rule) {
    const std::uint32_t action = TRY(action_value(rule.action, rule.errno_ret));
    if (action == SECCOMP_RET_USER_NOTIF) notifies_ = true;
    std::vector<Condition> conditions;
    for (const auto& arg : rule.args) conditions.push_back(TRY(condition_of(arg)));
    for (const auto& name : rule.names) {
      for (const std::uint32_t token : tokens_) add_call(token, name, conditions, action);
    }
    return {};
  }

  void add_call(std::uint32_t token, const std::string& name, const std::vector<Condition>& conditions,
                std::uint32_t action) {
    Architecture& architecture = architectures_[audit_of(token)];
    if (token == SCMP_ARCH_X86 && conditions.empty() && action != default_) {
      const auto* multiplexed = std::ranges::find(kMultiplexed, std::string_view{name}, &Multiplexed::name);
      if (multiplexed != kMultiplexed.end()) {
        add_rule(architecture, multiplexed->through,
                 {{0, Comparison::MaskedEqual, 0xffffffff, multiplexed->call}}, action);
      }
    }
    const int resolved = ::seccomp_syscall_resolve_name_arch(token, name.c_str());
    if (resolved < 0) return;
    auto number = static_cast<std::uint32_t>(resolved);
    if (token == SCMP_ARCH_X32) number |= kX32Bit;
    auto& highest = number >= kX32Bit ? architecture.highest_x32 : architecture.highest;
    highest = std::max(highest.value_or(0), number);
    if (action != default_) add_rule(architecture, number, conditions, action);
  }

  /// A default that lets through needs no ENOSYS, nor does one that is ENOSYS already.
  [[nodiscard]] bool denies_unknown(const Seccomp& section) const {
    const std::uint32_t kind = default_ & SECCOMP_RET_ACTION_FULL;
    const bool lets_through =
        kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG || kind == SECCOMP_RET_TRACE;
    return !lets_through && section.default_errno_ret != ENOSYS;
  }

  void emit(std::uint32_t audit, const Architecture& architecture) {
    std::map<std::uint32_t, Decision> starts;  // each holds up to the next one
    const auto fill = [&](std::uint32_t from, std::uint32_t to, std::uint32_t action) {
      std::uint32_t next = from;
      for (auto call = architecture.calls.lower_bound(from); call != architecture.calls.end() && call->first <= to; ++call) {
        if (call->first > next) starts[next] = Decision::only(action);
        starts[call->first] = call->second;
        if (!starts[call->first].always) starts[call->first].otherwise = action;
        next = call->first + 1;
      }
      if (next <= to) starts[next] = Decision::only(action);
    };
    const bool has_x32_numbers = audit == AUDIT_ARCH_X86_64;
    const std::uint32_t end = has_x32_numbers ? kX32Bit - 1 : kNoCall - 1;
    const std::uint32_t enosys = SECCOMP_RET_ERRNO | ENOSYS;
    const auto fill_part = [&](std::uint32_t first, std::uint32_t last, const std::optional<std::uint32_t>& highest) {
      if (!enosys_above_ || !highest) return fill(first, last, default_);
      fill(first, *highest, default_);
      if (*highest < last) fill(*highest + 1, last, enosys);
    };
    if (architecture.native) {
      fill_part(0, end, architecture.highest);
    } else {
      starts[0] = Decision::only(SECCOMP_RET_KILL_THREAD);
    }
    if (has_x32_numbers) {
      if (architecture.x32) {
        fill_part(kX32Bit, kNoCall - 1, architecture.highest_x32);
      } else {
        starts[kX32Bit] = Decision::only(SECCOMP_RET_KILL_THREAD);
      }
    }
    starts[kNoCall] = Decision::only(default_);
    emitter_.architecture(audit, starts);
  }

  std::uint32_t default_ = 0;
  bool notifies_ = false;
  bool enosys_above_ = false;
  std::vector<std::uint32_t> tokens_;
  std::map<std::uint32_t, Architecture> architectures_;
  SeccompEmitter emitter_;
};

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> out;
  for (const auto& row : table) {
    if constexpr (requires { row.name; }) {
      out.emplace_back(row.name);
    } else {
      out.emplace_back(row.first);
    }
  }
  return out;
}

}  // namespace

Result<SeccompProgram> compile_seccomp(const Seccomp& section) {
  return Compiler::compile(section).context("seccomp");
}

std::vector<std::string> known_seccomp_actions() { return names_of(kActions); }
std::vector<std::string> known_seccomp_operators() { return names_of(kOperators); }
std::vector<std::string> known_seccomp_flags() { return names_of(kFlags); }
std::vector<std::string> known_seccomp_architectures() {
  std::vector<std::string> out;
  for (const char* name : {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64",
                           "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
                           "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64",
                           "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64"}) {
    if (architecture_token(name)) out.emplace_back(name);
  }
  return out;
}

}  // namespace runtime::detail
