#include "sys/syscall_script.h"

#include <cerrno>
#include <cstring>

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/mount.h"

// The loop. Two numbers behind its code are filled in: where the calls are, and the report socket.
// It is data here (.rodata) and code only in the image.
#if defined(__x86_64__)
asm(R"(
  .pushsection .rodata
  .balign 16
caisson_script_begin:
  movq caisson_script_calls(%rip), %rbx
  xorl %r12d, %r12d
1:
  movq 0(%rbx), %rax
  movq 8(%rbx), %rdi
  movq 16(%rbx), %rsi
  movq 24(%rbx), %rdx
  movq 32(%rbx), %r10
  movq 40(%rbx), %r8
  movq 48(%rbx), %r9
  movl 56(%rbx), %r13d
  testl $2, %r13d
  cmovnz %r12, %rdi
  syscall
  movq %rax, %r12
  cmpq $-4095, %rax
  jae 4f
  testl $4, %r13d
  jnz 3f
  testl $8, %r13d
  jnz 5f
2:
  addq $64, %rbx
  jmp 1b
3:
  xorl %r15d, %r15d
  testq %r12, %r12
  jz 2b
  jmp 6f
4:
  movl $1, %r15d
  testl $1, %r13d
  jnz 2b
  jmp 6f
5:
  movl $-1, %r15d
6:
  pushq %r12
  movl 60(%rbx), %eax
  shlq $32, %rax
  orq $0x53435254, %rax
  pushq %rax
  movq caisson_script_report(%rip), %rdi
  movq %rsp, %rsi
  movl $16, %edx
  movl $0x4000, %r10d
  xorl %r8d, %r8d
  xorl %r9d, %r9d
  movl $44, %eax
  syscall
  addq $16, %rsp
  movl %r15d, %edi
  testl %r15d, %r15d
  js 2b
  movl $231, %eax
  syscall
  .balign 8
caisson_script_calls:
  .quad 0
caisson_script_report:
  .quad 0
caisson_script_end:
  .popsection
)");
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
asm(R"(
  .pushsection .rodata
  .balign 16
caisson_script_begin:
  ldr x19, caisson_script_calls
  mov x20, #0
1:
  ldr x8, [x19, #0]
  ldp x0, x1, [x19, #8]
  ldp x2, x3, [x19, #24]
  ldp x4, x5, [x19, #40]
  ldr w21, [x19, #56]
  tst w21, #2
  csel x0, x20, x0, ne
  svc #0
  mov x20, x0
  cmn x0, #4095
  b.hs 4f
  tbnz w21, #2, 3f
  tbnz w21, #3, 5f
2:
  add x19, x19, #64
  b 1b
3:
  mov w22, #0
  cbz x20, 2b
  b 6f
4:
  mov w22, #1
  tbnz w21, #0, 2b
  b 6f
5:
  mov w22, #-1
6:
  ldr w9, [x19, #60]
  movz x10, #0x5254
  movk x10, #0x5343, lsl #16
  orr x10, x10, x9, lsl #32
  stp x10, x20, [sp, #-16]!
  ldr x0, caisson_script_report
  mov x1, sp
  mov x2, #16
  mov x3, #0x4000
  mov x4, #0
  mov x5, #0
  mov x8, #206
  svc #0
  add sp, sp, #16
  tbnz w22, #31, 2b
  mov w0, w22
  mov x8, #94
  svc #0
  .balign 8
caisson_script_calls:
  .quad 0
caisson_script_report:
  .quad 0
caisson_script_end:
  .popsection
)");
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "port the loop of SyscallScript to this processor"
#endif

extern "C" {
extern const char caisson_script_begin[];
extern const char caisson_script_calls[];
extern const char caisson_script_report[];
extern const char caisson_script_end[];
}

namespace sys {

using base::Error;
using base::Result;

namespace {

constexpr std::uint64_t kBase = 0x10000000;
constexpr std::size_t kHeaders = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
constexpr std::size_t kCode = (kHeaders + 15) & ~std::size_t{15};

template <class T>
void put(std::string& image, std::size_t at, const T& value) {
  std::memcpy(image.data() + at, &value, sizeof value);
}

std::size_t slot(const char* label) { return kCode + static_cast<std::size_t>(label - caisson_script_begin); }

}  // namespace

SyscallScript::SyscallScript() {
  image_.reserve(16 * 1024);
  image_.resize(kCode);
  image_.append(caisson_script_begin, caisson_script_end);
  static_assert(ScriptReport::kMark == 0x53435254, "the loop writes it");
  static_assert(MSG_NOSIGNAL == 0x4000, "the loop uses it");
}

SyscallScript::Address SyscallScript::bytes(const void* data, std::size_t size) {
  image_.resize((image_.size() + 15) & ~std::size_t{15});
  const Address address = kBase + image_.size();
  image_.append(static_cast<const char*>(data), size);
  return address;
}

SyscallScript::Address SyscallScript::text(std::string_view text) {
  const Address address = kBase + image_.size();
  image_.append(text);
  image_ += '\0';
  return address;
}

SyscallScript::Address SyscallScript::texts(const std::vector<std::string>& texts) {
  std::vector<Address> addresses;
  addresses.reserve(texts.size() + 1);
  for (const auto& one : texts) addresses.push_back(text(one));
  addresses.push_back(0);
  return bytes(addresses.data(), addresses.size() * sizeof(Address));
}

void SyscallScript::call(std::uint32_t step, long number, std::array<std::uint64_t, 6> arguments,
                         std::uint32_t flags) {
  calls_.push_back({static_cast<std::uint64_t>(number), arguments, flags, step});
}

Result<UniqueFd> SyscallScript::image_file() const {
  UniqueFd file{::memfd_create("caisson-init", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (file) {
    TRY(write_all(file.get(), image_));
    if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
      return Error::from_errno(errno, "seal a memory file");
    }
    return file;
  }
  // vm.memfd_noexec=2 forbids executable memory files. A file of a tmpfs that is mounted nowhere and
  // read-only from the moment it is complete does as well.
  UniqueFd mount = TRY(make_mount({.type = "tmpfs", .source = "caisson-init", .parameters = {{"mode", "0700"}}}));
  {
    const UniqueFd writable = TRY(open_at(mount.get(), "init", O_WRONLY | O_CREAT | O_EXCL, 0755));
    TRY(write_all(writable.get(), image_));
  }
  TRY(change_mount(mount.get(), {.set = MOUNT_ATTR_RDONLY}, false));
  return open_at(mount.get(), "init", O_PATH);
}

Error SyscallScript::run(int report_fd) {
  Elf64_Ehdr header{};
  std::memcpy(static_cast<void*>(header.e_ident), ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = kMachine;
  header.e_version = EV_CURRENT;
  header.e_entry = kBase + kCode;
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  put(image_, slot(caisson_script_calls), bytes(calls_.data(), calls_.size() * sizeof(Call)));
  put(image_, slot(caisson_script_report), static_cast<std::uint64_t>(report_fd));

  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = segment.p_paddr = kBase;
  segment.p_filesz = segment.p_memsz = image_.size();
  segment.p_align = 0x1000;
  Elf64_Phdr stack{};
  stack.p_type = PT_GNU_STACK;
  stack.p_flags = PF_R | PF_W;
  put(image_, 0, header);
  put(image_, sizeof header, segment);
  put(image_, sizeof header + sizeof segment, stack);

  const auto file = image_file();
  if (!file) return Error{file.error()}.context("prepare the last steps");
  std::array<char*, 2> argv{const_cast<char*>("caisson-init"), nullptr};
  std::array<char*, 1> env{nullptr};
  ::syscall(SYS_execveat, file->get(), "", argv.data(), env.data(), AT_EMPTY_PATH);
  return Error::from_errno(errno, "execute the last steps");
}

}  // namespace sys
