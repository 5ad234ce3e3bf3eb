#include <algorithm>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ps/format.h"
#include "ps/process.h"
#include "ps/table.h"

namespace ps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> titles(std::string_view arguments) {
  std::vector<std::string> result;
  const auto columns = parse_arguments(arguments);
  if (!columns) return {columns.error().message()};
  for (const Column& column : *columns) result.push_back(column.title);
  return result;
}

TEST(Ps, ColumnsOfTheUsualArguments) {
  EXPECT_THAT(titles(""), ElementsAre("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"));
  EXPECT_EQ(titles("-ef"), titles(""));
  EXPECT_EQ(titles("-f -e"), titles(""));
  const auto aux = titles("aux");
  EXPECT_THAT(aux, ElementsAre("USER", "PID", "%CPU", "%MEM", "VSZ", "RSS", "TTY", "STAT", "START", "TIME", "COMMAND"));
  EXPECT_EQ(titles("-aux"), aux);
  EXPECT_THAT(titles("-e -x"), ElementsAre("PID", "TTY", "STAT", "TIME", "COMMAND"));
  EXPECT_EQ(titles("-x"), titles("x"));
  EXPECT_EQ(titles("auxww"), aux);
  EXPECT_THAT(titles("-e"), ElementsAre("PID", "TTY", "TIME", "CMD"));
  EXPECT_THAT(titles("-eo pid,comm"), ElementsAre("PID", "COMMAND"));
  EXPECT_THAT(titles("-o pid -o cmd"), ElementsAre("PID", "CMD"));
  EXPECT_THAT(titles("axo pid,user=OWNER"), ElementsAre("PID", "OWNER"));
  EXPECT_THAT(titles("--format=pid,args"), ElementsAre("PID", "COMMAND"));
}

TEST(Ps, Refusals) {
  EXPECT_THAT(titles("-o comm"), ElementsAre("Couldn't find PID field in ps output"));
  EXPECT_THAT(titles("-o pid,colour"), ElementsAre("error: unknown user-defined format specifier \"colour\""));
  EXPECT_THAT(titles("-Q"), ElementsAre("error: unsupported SysV option"));
  EXPECT_THAT(titles("--frobnicate"), ElementsAre("error: unknown gnu long option"));
  EXPECT_THAT(titles("-o"), ElementsAre("error: list of format specifiers is missing"));
}

constexpr std::string_view kStat =
    "42 (a (b) c) S 1 42 42 34816 42 4194560 1 0 0 0 6100 50 0 0 20 0 2 0 1000 8192000 250 18446744073709551615 "
    "1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0";

TEST(Ps, StatIsParsedThoughTheNameHasParentheses) {
  const Process process = parse_stat(kStat).value();
  EXPECT_EQ(process.comm, "a (b) c");
  EXPECT_EQ(process.pid, 42);
  EXPECT_EQ(process.processor, 3);
  EXPECT_FALSE(parse_stat("42 a S"));
  EXPECT_FALSE(parse_stat("42 (a) S 1"));
}

TEST(Ps, ColumnsOfAProcess) {
  Process process = parse_stat(kStat).value();
  process.uid = 33;
  process.arguments = {"sleep", "9"};
  Context context;
  context.passwd = "root:x:0:0::/:/bin/sh\nwww:x:33:33::/:/bin/sh\n";
  context.memory_kb = 100'000;
  context.boot = base::Time{std::chrono::seconds{1'700'000'000}};
  context.now = context.boot + std::chrono::seconds{10 + 3723};
  const auto text = [&](Field field) { return column_text(process, field, context); };
  EXPECT_EQ(text(Field::User), "www");
  EXPECT_EQ(text(Field::Tty), "pts/0");
  EXPECT_EQ(text(Field::CpuTime), "00:01:01");
  EXPECT_EQ(text(Field::CpuTimeShort), "1:01");
  EXPECT_EQ(text(Field::Elapsed), "01:02:03");
  EXPECT_EQ(text(Field::CpuInteger), "2");
  EXPECT_EQ(text(Field::VirtualKb), "8000");
  EXPECT_EQ(text(Field::ResidentKb), "1000");
  EXPECT_EQ(text(Field::MemoryShare), "1.0");
  EXPECT_EQ(text(Field::StateLong), "Ssl+");
  EXPECT_EQ(text(Field::Args), "sleep 9");
  process.uid = 4242;
  EXPECT_EQ(text(Field::User), "4242");
  process.arguments.clear();
  process.state = 'Z';
  EXPECT_EQ(text(Field::Args), "[a (b) c] <defunct>");
}

TEST(Ps, TableAlignsAsPs) {
  EXPECT_EQ(table(parse_arguments("-ef").value(), {{"root", "1", "0", "0", "10:00", "?", "00:00:01", "sleep 9"},
                                                   {"somebody-else", "4194304", "1", "99", "Nov28", "pts/0", "00:00:00", "x"}}),
            "UID               PID    PPID  C STIME TTY          TIME CMD\n"
            "root                1       0  0 10:00 ?        00:00:01 sleep 9\n"
            "somebody-else 4194304       1 99 Nov28 pts/0    00:00:00 x\n");
  EXPECT_EQ(table(parse_arguments("-x").value(), {}), "    PID TTY      STAT   TIME COMMAND\n");
}

TEST(Ps, ReadsThisProcess) {
  const Process process = read_process(::getpid()).value();
  EXPECT_EQ(process.pid, ::getpid());
  EXPECT_EQ(process.parent, ::getppid());
  EXPECT_EQ(process.uid, ::geteuid());
  EXPECT_THAT(process.arguments.at(0), HasSubstr("ps_test"));
  const Context context = read_context().value();
  EXPECT_LT(base::parse_duration(column_text(process, Field::ElapsedSeconds, context) + "s").value(), std::chrono::hours{1});
  EXPECT_TRUE(read_process(0x7ffffff).failed_as(base::ErrorKind::NotFound));
}

}  // namespace
}  // namespace ps
