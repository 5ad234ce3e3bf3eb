#include "cgroup/detail/device_filter.h"

#include <cstddef>
#include <cstdint>

namespace cgroup::detail {
namespace {

// struct bpf_cgroup_dev_ctx: access_type (access << 16 | type), major, minor.
constexpr std::uint8_t kContext = BPF_REG_1;
constexpr std::uint8_t kType = BPF_REG_2;
constexpr std::uint8_t kUndecided = BPF_REG_3;  ///< access bits that no rule has decided yet
constexpr std::uint8_t kMajor = BPF_REG_4;
constexpr std::uint8_t kMinor = BPF_REG_5;
constexpr std::uint8_t kScratch = BPF_REG_6;

::bpf_insn instruction(std::uint8_t code, std::uint8_t target, std::uint8_t source, std::int16_t offset,
                       std::int32_t value) {
  ::bpf_insn out{};
  out.code = code;
  out.dst_reg = target & 15U;
  out.src_reg = source & 15U;
  out.off = offset;
  out.imm = value;
  return out;
}

std::int32_t access_bits(const DeviceRule& rule) {
  return (rule.mknod ? BPF_DEVCG_ACC_MKNOD : 0) | (rule.read ? BPF_DEVCG_ACC_READ : 0) |
         (rule.write ? BPF_DEVCG_ACC_WRITE : 0);
}

class Program {
 public:
  Program() {
    load(kType, 0);
    add(BPF_ALU | BPF_MOV | BPF_X, kUndecided, kType);
    add(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0, 0xffff);
    add(BPF_ALU | BPF_RSH | BPF_K, kUndecided, 0, 0, 16);
    load(kMajor, 4);
    load(kMinor, 8);
  }

  void rule(const DeviceRule& rule) {
    std::vector<std::size_t> misses;
    if (rule.type != 'a') misses.push_back(jump_if_not(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    if (rule.major) misses.push_back(jump_if_not(kMajor, static_cast<std::int32_t>(*rule.major)));
    if (rule.minor) misses.push_back(jump_if_not(kMinor, static_cast<std::int32_t>(*rule.minor)));
    if (rule.allow) {
      add(BPF_ALU | BPF_AND | BPF_K, kUndecided, 0, 0, ~access_bits(rule));
      add(BPF_JMP | BPF_JNE | BPF_K, kUndecided, 0, 2, 0);
      answer(1);
    } else {
      add(BPF_ALU | BPF_MOV | BPF_X, kScratch, kUndecided);
      add(BPF_ALU | BPF_AND | BPF_K, kScratch, 0, 0, access_bits(rule));
      add(BPF_JMP | BPF_JEQ | BPF_K, kScratch, 0, 2, 0);
      answer(0);
    }
    for (const std::size_t miss : misses) code_[miss].off = static_cast<std::int16_t>(code_.size() - miss - 1);
  }

  std::vector<::bpf_insn> finish() && {
    answer(0);
    return std::move(code_);
  }

 private:
  void add(int code, std::uint8_t target, std::uint8_t source = 0, std::int16_t offset = 0, std::int32_t value = 0) {
    code_.push_back(instruction(static_cast<std::uint8_t>(code), target, source, offset, value));
  }
  void load(std::uint8_t target, std::int16_t offset) { add(BPF_LDX | BPF_MEM | BPF_W, target, kContext, offset); }
  std::size_t jump_if_not(std::uint8_t reg, std::int32_t value) {
    add(BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, value);
    return code_.size() - 1;
  }
  void answer(std::int32_t value) {
    add(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
    add(BPF_JMP | BPF_EXIT, 0);
  }

  std::vector<::bpf_insn> code_;
};

}  // namespace

std::vector<::bpf_insn> device_filter(const std::vector<DeviceRule>& rules) {
  Program program;
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    program.rule(*rule);
    // Nothing before a rule for everything counts, and the verifier refuses code nobody reaches.
    if (rule->type == 'a' && !rule->major && !rule->minor && rule->read && rule->write && rule->mknod) break;
  }
  return std::move(program).finish();
}

}  // namespace cgroup::detail
