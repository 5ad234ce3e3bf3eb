#include "runtime/detail/seccomp_emit.h"

#include <bit>
#include <cstddef>
#include <span>
#include <utility>

#include <linux/seccomp.h>

#include <fmt/format.h>

namespace runtime::detail {
namespace {

using Code = std::vector<::sock_filter>;
static_assert(std::endian::native == std::endian::little, "where an argument's halves are");

constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kAnd = BPF_ALU | BPF_AND | BPF_K;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;
constexpr std::uint16_t kJumpAlways = BPF_JMP | BPF_JA;

::sock_filter statement(std::uint16_t code, std::uint32_t value) { return {code, 0, 0, value}; }

void append(Code& to, const Code& what) { to.insert(to.end(), what.begin(), what.end()); }

/// If the comparison `code` with `value` holds, on to `then`, else to `otherwise`: a jump of a
/// conditional instruction reaches 255 instructions, further ones go by an unconditional one.
Code branch(std::uint16_t code, std::uint32_t value, const Code& then, const Code& otherwise) {
  Code out;
  const std::size_t skip = otherwise.size();
  if (skip <= 255) {
    out.push_back({code, static_cast<std::uint8_t>(skip), 0, value});
  } else {
    out.push_back({code, 0, 1, value});
    out.push_back(statement(kJumpAlways, static_cast<std::uint32_t>(skip)));
  }
  append(out, otherwise);
  append(out, then);
  return out;
}

/// The tests of one alternative; a failed one leads behind `end`.
class Tests {
 public:
  void add(const Condition& one) {
    const auto offset = static_cast<std::uint32_t>(offsetof(seccomp_data, args) + one.argument * sizeof(std::uint64_t));
    const auto low = static_cast<std::uint32_t>(one.value);
    const auto high = static_cast<std::uint32_t>(one.value >> 32U);
    const std::uint32_t low_at = offset;
    const std::uint32_t high_at = offset + 4;
    switch (one.comparison) {
      case Comparison::MaskedEqual:
        load(high_at);
        code_.push_back(statement(kAnd, high));
        need(BPF_JEQ, static_cast<std::uint32_t>(one.second >> 32U));
        load(low_at);
        code_.push_back(statement(kAnd, low));
        need(BPF_JEQ, static_cast<std::uint32_t>(one.second));
        break;
      case Comparison::Equal:
        load(high_at);
        need(BPF_JEQ, high);
        load(low_at);
        need(BPF_JEQ, low);
        break;
      case Comparison::NotEqual:
        load(high_at);
        pass_unless(BPF_JEQ, high, 2);
        load(low_at);
        refuse(BPF_JEQ, low);
        break;
      case Comparison::Greater:
      case Comparison::GreaterOrEqual:
        load(high_at);
        pass_if(BPF_JGT, high, 3);
        need(BPF_JEQ, high);
        load(low_at);
        need(one.comparison == Comparison::Greater ? BPF_JGT : BPF_JGE, low);
        break;
      case Comparison::Less:
      case Comparison::LessOrEqual:
        load(high_at);
        refuse(BPF_JGT, high);
        pass_unless(BPF_JEQ, high, 2);
        load(low_at);
        refuse(one.comparison == Comparison::Less ? BPF_JGE : BPF_JGT, low);
        break;
    }
  }

  /// `action` when all held; control goes on behind it when one did not.
  Code finish(std::uint32_t action) && {
    code_.push_back(statement(kReturn, action));
    for (const auto& [at, when_true] : failures_) {
      // Six arguments of six instructions each stay far below 255.
      const auto distance = static_cast<std::uint8_t>(code_.size() - at - 1);
      (when_true ? code_[at].jt : code_[at].jf) = distance;
    }
    return std::move(code_);
  }

 private:
  void load(std::uint32_t at) { code_.push_back(statement(kLoad, at)); }
  void jump(int test, std::uint32_t value, std::uint8_t jt, std::uint8_t jf) {
    code_.push_back({static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), jt, jf, value});
  }
  void need(int test, std::uint32_t value) {
    jump(test, value, 0, 0);
    failures_.emplace_back(code_.size() - 1, false);
  }
  void refuse(int test, std::uint32_t value) {
    jump(test, value, 0, 0);
    failures_.emplace_back(code_.size() - 1, true);
  }
  /// The whole condition holds already: skip its last `rest` instructions.
  void pass_if(int test, std::uint32_t value, std::uint8_t rest) { jump(test, value, rest, 0); }
  void pass_unless(int test, std::uint32_t value, std::uint8_t rest) { jump(test, value, 0, rest); }

  Code code_;
  std::vector<std::pair<std::size_t, bool>> failures_;
};

Code leaf(const Decision& decision) {
  if (decision.always) return {statement(kReturn, *decision.always)};
  Code out;
  for (const auto& alternative : decision.alternatives) {
    Tests tests;
    for (const auto& condition : alternative.conditions) tests.add(condition);
    append(out, std::move(tests).finish(alternative.action));
  }
  out.push_back(statement(kReturn, decision.otherwise));
  return out;
}

struct Range {
  std::uint32_t start;
  const Decision* decision;
};

Code tree(std::span<const Range> ranges) {
  if (ranges.size() == 1) return leaf(*ranges[0].decision);
  const std::size_t middle = ranges.size() / 2;
  return branch(BPF_JMP | BPF_JGE | BPF_K, ranges[middle].start, tree(ranges.subspan(middle)),
                tree(ranges.first(middle)));
}

}  // namespace

void SeccompEmitter::architecture(std::uint32_t audit, const std::map<std::uint32_t, Decision>& starts) {
  std::vector<Range> ranges;
  for (const auto& [start, decision] : starts) {
    if (!ranges.empty() && *ranges.back().decision == decision) continue;
    ranges.push_back({start, &decision});
  }
  Code code{statement(kLoad, offsetof(seccomp_data, nr))};
  append(code, tree(ranges));
  blocks_.push_back({audit, std::move(code)});
}

base::Result<Code> SeccompEmitter::finish(std::uint32_t otherwise) && {
  Code code{statement(kReturn, otherwise)};
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    code = branch(BPF_JMP | BPF_JEQ | BPF_K, block->audit, block->code, code);
  }
  code.insert(code.begin(), statement(kLoad, offsetof(seccomp_data, arch)));
  if (code.size() > BPF_MAXINSNS) {
    return base::invalid(fmt::format("the filter has {} instructions, over the kernel's {}", code.size(), BPF_MAXINSNS));
  }
  return code;
}

}  // namespace runtime::detail
