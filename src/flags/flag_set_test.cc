#include "flags/flag_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flags {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// A command with one flag of every type.
struct Command {
  bool all = false;
  bool interactive = false;
  bool tty = false;
  bool sig_proxy = true;
  std::string name;
  std::vector<std::string> env;
  std::vector<std::string> filters;
  std::map<std::string, std::string> sysctls;
  std::map<std::string, std::string> options;
  std::int64_t memory = 0;
  std::int64_t swap = 0;
  std::int64_t cpus = 0;
  std::int64_t last = -1;
  std::uint16_t weight = 0;
  std::uint64_t pids = 0;
  std::string address;
  std::optional<std::int64_t> timeout;
  std::chrono::nanoseconds interval{};
  std::vector<std::string> mounts;
  bool trust = false;
  FlagSet flags;

  static base::Result<> add_mount(std::vector<std::string>& mounts, std::string_view text) {
    if (text.empty()) return base::invalid("target is required");
    mounts.push_back("<" + std::string{text} + ">");
    return {};
  }

  Command() {
    flags.add({.name = "all", .shorthand = 'a', .help = "Show all"}, all);
    flags.add({.name = "interactive", .shorthand = 'i', .help = "Keep STDIN open"}, interactive);
    flags.add({.name = "tty", .shorthand = 't', .help = "Allocate a pseudo-TTY"}, tty);
    flags.add({.name = "sig-proxy", .help = "Proxy received signals"}, sig_proxy);
    flags.add({.name = "name", .help = "Assign a name"}, name);
    flags.add({.name = "env", .shorthand = 'e', .help = "Set environment variables"}, env);
    flags.add({.name = "filters", .help = "Comma list"}, comma_list(filters));
    flags.add({.name = "sysctl", .help = "Sysctl options"}, sysctls);
    flags.add({.name = "opt", .help = "Options"}, key_values(options));
    flags.add({.name = "memory", .shorthand = 'm', .help = "Memory limit"}, bytes(memory));
    flags.add({.name = "memory-swap", .help = "Swap limit"}, bytes_or_unlimited(swap));
    flags.add({.name = "cpus", .help = "Number of CPUs"}, nano_cpus(cpus));
    flags.add({.name = "last", .shorthand = 'n', .help = "Show n last"}, last);
    flags.add({.name = "weight", .help = "Weight"}, weight);
    flags.add({.name = "pids", .help = "Pids"}, pids);
    flags.add({.name = "ip", .help = "IPv4 address"}, ip(address));
    flags.add({.name = "timeout", .help = "Seconds"}, timeout);
    flags.add({.name = "interval", .help = "Time between checks"}, interval);
    flags.add({.name = "mount", .help = "Attach"}, custom<add_mount>(mounts, "mount"));
    flags.add({.name = "trust", .help = "Trust", .deprecated = "it does nothing"}, trust);
  }

  base::Result<Parsed> parse(const std::vector<std::string>& arguments,
                             Interspersed interspersed = Interspersed::Yes) {
    return flags.parse(arguments, interspersed);
  }
};

TEST(FlagSet, ReadsEveryFormOfAValue) {
  Command command;
  const auto parsed = command.parse({"--name", "a", "-e", "A=1", "-eB=2", "-e=C=3", "--env=D", "-m64m", "x",
                                     "-it", "--sig-proxy=false", "-an5", "--memory-swap", "-1", "y"});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_THAT(parsed->arguments, ElementsAre("x", "y"));
  EXPECT_EQ(command.name, "a");
  EXPECT_THAT(command.env, ElementsAre("A=1", "B=2", "C=3", "D"));
  EXPECT_EQ(command.memory, 64 << 20);
  EXPECT_EQ(command.swap, -1);
  EXPECT_TRUE(command.interactive && command.tty && command.all);
  EXPECT_FALSE(command.sig_proxy);
  EXPECT_EQ(command.last, 5);
  EXPECT_TRUE(command.flags.changed("sig-proxy"));
  EXPECT_FALSE(command.flags.changed("weight"));
}

TEST(FlagSet, ReadsEveryType) {
  Command command;
  const auto parsed =
      command.parse({"--filters", R"(a,"b,""c",d)", "--filters=e", "--sysctl", "k=v",
                     "--sysctl",  "bare",           "--opt",       "x=y=z",    "--cpus",
                     "1.5",       "--weight",       "0x10",        "--pids",   "18446744073709551615",
                     "--ip",      "fe80::1",        "--interval",  "1m30s",    "--mount",
                     "type=bind", "--timeout=0",    "--last",      "-7"});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_THAT(command.filters, ElementsAre("a", "b,\"c", "d", "e"));
  EXPECT_THAT(command.sysctls, ElementsAre(Pair("bare", ""), Pair("k", "v")));
  EXPECT_THAT(command.options, ElementsAre(Pair("x", "y=z")));
  EXPECT_EQ(command.cpus, 1'500'000'000);
  EXPECT_EQ(command.weight, 16);
  EXPECT_EQ(command.pids, UINT64_MAX);
  EXPECT_EQ(command.address, "fe80::1");
  EXPECT_EQ(command.interval, std::chrono::seconds{90});
  EXPECT_THAT(command.mounts, ElementsAre("<type=bind>"));
  EXPECT_EQ(command.timeout, 0);
  EXPECT_EQ(command.last, -7);
}

TEST(FlagSet, StopsAtTheFirstArgumentWhenNotInterspersed) {
  Command command;
  const auto parsed = command.parse({"-a", "image", "-t", "--name"}, Interspersed::No);
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->arguments, ElementsAre("image", "-t", "--name"));
  EXPECT_TRUE(command.all);
  EXPECT_FALSE(command.tty);
}

TEST(FlagSet, TwoDashesEndTheFlagsAndOneIsAnArgument) {
  Command command;
  const auto parsed = command.parse({"x", "-", "", "--", "-a", "--"});
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->arguments, ElementsAre("x", "-", "", "-a", "--"));
  EXPECT_EQ(parsed->before_dash, 3U);
  EXPECT_FALSE(command.all);
  EXPECT_EQ(Command{}.parse({"x"})->before_dash, std::nullopt);
}

TEST(FlagSet, HelpStopsTheParsing) {
  for (const auto& arguments : {std::vector<std::string>{"-a", "--help", "--unknown"}, {"-ah"}, {"-h"}}) {
    Command command;
    const auto parsed = command.parse(arguments);
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->help);
  }
}

TEST(FlagSet, DeprecatedFlagsWorkHideAndSaySo) {
  Command command;
  const auto parsed = command.parse({"--trust"});
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(command.trust);
  EXPECT_THAT(parsed->notices, ElementsAre("Flag --trust has been deprecated, it does nothing"));
  EXPECT_EQ(command.flags.help().find("trust"), std::string::npos);
}

TEST(FlagSet, ADeprecatedShorthandWorksAndIsNotShown) {
  bool version = false;
  FlagSet flags;
  flags.add(
      {.name = "version", .shorthand = 'v', .help = "Print version", .shorthand_deprecated = "use --version"},
      version);
  const auto parsed = flags.parse(std::vector<std::string>{"-v"});
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(version);
  EXPECT_THAT(parsed->notices, ElementsAre("Flag shorthand -v has been deprecated, use --version"));
  EXPECT_EQ(flags.help(), "      --version   Print version\n");
}

/// The second of each pair is what docker 28.2 prints for the first.
TEST(FlagSet, RefusesInPflagsWords) {
  const std::pair<std::vector<std::string>, std::string_view> kGolden[] = {
      {{"--foo"}, "unknown flag: --foo"},
      {{"--foo=1"}, "unknown flag: --foo"},
      {{"---x"}, "bad flag syntax: ---x"},
      {{"--=x"}, "bad flag syntax: --=x"},
      {{"-xyz"}, "unknown shorthand flag: 'x' in -xyz"},
      {{"-axy"}, "unknown shorthand flag: 'x' in -xy"},
      {{"-\xc3\xa9"}, "unknown shorthand flag: '\xc3\x83' in -\xc3\xa9"},
      {{"-m"}, "flag needs an argument: 'm' in -m"},
      {{"-itm"}, "flag needs an argument: 'm' in -m"},
      {{"--memory"}, "flag needs an argument: --memory"},
      {{"-m", "x"}, R"(invalid argument "x" for "-m, --memory" flag: invalid size: 'x')"},
      {{"--memory", "5zb"}, R"(invalid argument "5zb" for "-m, --memory" flag: invalid suffix: 'zb')"},
      {{"--all=x"},
       R"(invalid argument "x" for "-a, --all" flag: strconv.ParseBool: parsing "x": invalid syntax)"},
      {{"-n", "x"},
       R"(invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax)"},
      {{"-n", "9223372036854775808"},
       R"(invalid argument "9223372036854775808" for "-n, --last" flag: strconv.ParseInt: parsing "9223372036854775808": value out of range)"},
      {{"--weight", "70000"},
       R"(invalid argument "70000" for "--weight" flag: strconv.ParseUint: parsing "70000": value out of range)"},
      {{"--weight", "-1"},
       R"(invalid argument "-1" for "--weight" flag: strconv.ParseUint: parsing "-1": invalid syntax)"},
      {{"--cpus", "x"}, R"(invalid argument "x" for "--cpus" flag: failed to parse x as a rational number)"},
      {{"--cpus", "1.0000000001"},
       R"(invalid argument "1.0000000001" for "--cpus" flag: value is too precise)"},
      {{"--interval", "5x"},
       R"(invalid argument "5x" for "--interval" flag: time: unknown unit "x" in duration "5x")"},
      {{"--interval", "5"},
       R"(invalid argument "5" for "--interval" flag: time: missing unit in duration "5")"},
      {{"--ip", "x"}, R"(invalid argument "x" for "--ip" flag: failed to parse IP: "x")"},
      {{"--mount="}, R"(invalid argument "" for "--mount" flag: target is required)"},
      {{"--opt", "a"}, R"(invalid argument "a" for "--opt" flag: a must be formatted as key=value)"},
      {{"--filters", R"(a"b)"},
       R"(invalid argument "a\"b" for "--filters" flag: parse error on line 1, column 1: bare " in non-quoted-field)"},
  };
  for (const auto& [arguments, message] : kGolden) {
    Command command;
    const auto parsed = command.parse(arguments);
    ASSERT_FALSE(parsed) << arguments[0];
    EXPECT_EQ(parsed.error().message(), message);
    EXPECT_TRUE(parsed.error().is(base::ErrorKind::InvalidArgument));
  }
}

TEST(FlagSet, SetsByNameAsIfGiven) {
  Command command;
  ASSERT_TRUE(command.flags.set("memory", "1k"));
  EXPECT_EQ(command.memory, 1024);
  EXPECT_TRUE(command.flags.changed("memory"));
  EXPECT_FALSE(command.flags.set("nothing", "1k"));
}

/// As `docker ps --help` prints it on 80 columns.
TEST(Help, IsLaidOutAsDockers) {
  bool flag = false;
  std::int64_t last = -1;
  std::string text;
  std::vector<std::string> filter;
  FlagSet flags;
  flags.add({.name = "all", .shorthand = 'a', .help = "Show all containers (default shows just running)"},
            flag);
  flags.add({.name = "filter",
             .shorthand = 'f',
             .help = "Filter output based on conditions provided",
             .type = "filter"},
            filter);
  flags.add({.name = "format",
             .help = "Format output using a custom template:\n"
                     "'table':            Print output in table format with column headers (default)\n"
                     "'table TEMPLATE':   Print output in table format using the given Go template\n"
                     "'json':             Print in JSON format\n"
                     "'TEMPLATE':         Print output using the given Go template.\n"
                     "Refer to https://docs.docker.com/go/formatting/ for more information about "
                     "formatting output with templates"},
            text);
  flags.add(
      {.name = "last", .shorthand = 'n', .help = "Show n last created containers (includes all states)"},
      last);
  flags.add(
      {.name = "latest", .shorthand = 'l', .help = "Show the latest created container (includes all states)"},
      flag);
  flags.add({.name = "no-trunc", .help = "Don't truncate output"}, flag);
  flags.add({.name = "secret", .help = "not shown", .hidden = true}, flag);
  EXPECT_EQ(flags.help(79),
            "  -a, --all             Show all containers (default shows just running)\n"
            "  -f, --filter filter   Filter output based on conditions provided\n"
            "      --format string   Format output using a custom template:\n"
            "                        'table':            Print output in table format\n"
            "                        with column headers (default)\n"
            "                        'table TEMPLATE':   Print output in table format\n"
            "                        using the given Go template\n"
            "                        'json':             Print in JSON format\n"
            "                        'TEMPLATE':         Print output using the given\n"
            "                        Go template.\n"
            "                        Refer to https://docs.docker.com/go/formatting/\n"
            "                        for more information about formatting output with\n"
            "                        templates\n"
            "  -n, --last int        Show n last created containers (includes all\n"
            "                        states) (default -1)\n"
            "  -l, --latest          Show the latest created container (includes all\n"
            "                        states)\n"
            "      --no-trunc        Don't truncate output\n");
}

TEST(Help, ShowsWordsAndDefaults) {
  Command command;
  std::string pull = "missing";
  std::chrono::nanoseconds wait = std::chrono::seconds{90};
  FlagSet flags;
  flags.add({.name = "annotation", .help = "Add an annotation"}, command.sysctls);
  flags.add({.name = "device", .help = "Devices", .shown_default = "[]"}, command.env);
  flags.add({.name = "disable", .help = "Skip"}, command.sig_proxy);
  flags.add({.name = "keep", .help = "Amount of `disk` space"}, bytes(command.memory));
  flags.add({.name = "progress", .help = "How", .without_value = "auto"}, command.name);
  flags.add({.name = "pull", .help = "Pull image"}, pull);
  flags.add({.name = "wait", .help = "How long", .shown_default = ""}, wait);
  flags.add({.name = "z", .help = "How long"}, wait);
  EXPECT_EQ(flags.help(),
            "      --annotation map             Add an annotation (default map[])\n"
            "      --device list                Devices (default [])\n"
            "      --disable                    Skip (default true)\n"
            "      --keep disk                  Amount of disk space\n"
            "      --progress string[=\"auto\"]   How\n"
            "      --pull string                Pull image (default \"missing\")\n"
            "      --wait duration              How long\n"
            "      --z duration                 How long (default 1m30s)\n");
}

TEST(Help, FallsBackToABlockOnNarrowTerminals) {
  std::string text;
  FlagSet flags;
  flags.add(
      {.name = "a-rather-long-name-of-a-flag", .help = "Words that go on and on until the line is full"},
      text);
  EXPECT_EQ(flags.help(48),
            "      --a-rather-long-name-of-a-flag string   \n"
            "                Words that go on and on\n"
            "                until the line is full\n");
  EXPECT_EQ(flags.help(20),
            "      --a-rather-long-name-of-a-flag string   Words that go on and on until the line is full\n");
}

}  // namespace
}  // namespace flags
