#include <ctime>

#include <fmt/format.h>

#include "base/time.h"
#include "base/version.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/template/template.h"
#include "codec/describe.h"

namespace cli {

using base::Result;

namespace {

struct ClientVersion {
  std::string version, api_version, default_api_version, git_commit, go_version, os, arch, build_time,
      context;
};
void describe(auto& v, ClientVersion& c) {
  v("Version", c.version);
  v("ApiVersion", c.api_version);
  v("DefaultAPIVersion", c.default_api_version);
  v("GitCommit", c.git_commit);
  v("GoVersion", c.go_version);
  v("Os", c.os);
  v("Arch", c.arch);
  v.opt("BuildTime", c.build_time);
  v("Context", c.context);
}
struct BothVersions {
  ClientVersion client;
  std::optional<spec::api::SystemVersion> server;
};
void describe(auto& v, BothVersions& b) {
  v("Client", b.client);
  v("Server", b.server);
}

/// "2025-05-30T12:07:14.000000000+00:00" → "Fri May 30 12:07:14 2025"; anything else stays.
std::string date(const std::string& text) {
  const auto time = base::parse_rfc3339(text);
  if (!time) return text;
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count();
  std::tm parts{};
  std::string out(32, '\0');
  out.resize(std::strftime(out.data(), out.size(), "%a %b %e %H:%M:%S %Y", ::gmtime_r(&seconds, &parts)));
  return out;
}

constexpr std::string_view kArchitecture =
#if defined(__x86_64__)
    "amd64";
#elif defined(__aarch64__)
    "arm64";
#else
    "unknown";
#endif

std::string client_text(const ClientVersion& c) {
  return fmt::format(
      "Client: Caisson\n Version:           {}\n API version:       {}{}\n Go version:        {}\n"
      " Git commit:        {}\n OS/Arch:           {}/{}\n Context:           {}\n",
      c.version, c.api_version,
      c.api_version == c.default_api_version ? ""
                                             : fmt::format(" (downgraded from {})", c.default_api_version),
      c.go_version, c.git_commit, c.os, c.arch, c.context);
}

std::string server_text(spec::api::SystemVersion s) {
  std::string out = fmt::format("\nServer:{}{}\n", s.platform.name.empty() ? "" : " ", s.platform.name);
  if (s.components.empty()) {
    // A daemon from before components: what it says itself.
    s.components.push_back({"Engine",
                            s.version,
                            {{{"ApiVersion", s.api_version},
                              {"MinAPIVersion", s.min_api_version},
                              {"GoVersion", s.go_version},
                              {"GitCommit", s.git_commit},
                              {"BuildTime", s.build_time},
                              {"Os", s.os},
                              {"Arch", s.arch},
                              {"Experimental", s.experimental ? "true" : "false"}}}});
  }
  for (const auto& component : s.components) {
    const auto details = component.details.value_or(spec::api::Labels{});
    const auto detail = [&](const std::string& name) {
      const auto at = details.find(name);
      return at == details.end() ? std::string{} : at->second;
    };
    out += fmt::format(" {}:\n  Version:          {}\n", component.name, component.version);
    if (component.name != "Engine") {
      for (const auto& [name, value] : details) out += fmt::format("  {:<18}{}\n", name + ":", value);
      continue;
    }
    out += fmt::format(
        "  API version:      {} (minimum version {})\n  Go version:       {}\n  Git commit:       {}\n"
        "  Built:            {}\n  OS/Arch:          {}/{}\n  Experimental:     {}\n",
        detail("ApiVersion"), detail("MinAPIVersion"), detail("GoVersion"), detail("GitCommit"),
        date(detail("BuildTime")), detail("Os"), detail("Arch"), detail("Experimental"));
  }
  return out;
}

class Version final : public Command {
 public:
  void bind(FlagBinder& flags) override { flags("format", format_); }

  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    constexpr int kBadTemplate = 64;
    const bool plain = format_.empty();
    const auto parsed = tmpl::Template::parse("version", plain || format_ == "json" ? "{{json .}}" : format_);
    if (!parsed) {
      cli.err().line("template parsing error: {}", parsed.error().message());
      return kBadTemplate;
    }
    client::Client& client = *TRY(cli.client());
    auto server = client.version();
    const auto api = server ? client.api_version() : Result<std::string>{std::string{client::kApiVersion}};
    BothVersions both;
    both.client = {.version = std::string{base::kVersion},
                   .api_version = api ? *api : std::string{client::kApiVersion},
                   .default_api_version = std::string{client::kApiVersion},
                   .git_commit = "release",
                   .go_version = "none (C++)",
                   .os = "linux",
                   .arch = std::string{kArchitecture},
                   .build_time = {},
                   .context = cli.context_name()};
    if (server) both.server = *server;
    std::string out;
    if (plain) {
      out = client_text(both.client);
      if (both.server) out += server_text(*both.server);
    } else {
      const auto done = parsed->execute(out, tmpl::value_of(both));
      out += '\n';
      cli.out().write(out);
      out.clear();
      if (!done && server) return done.error();
    }
    cli.out().write(out);
    if (!server) return server.error();
    return 0;
  }

 private:
  std::string format_;
};

}  // namespace

std::unique_ptr<Command> make_version() { return std::make_unique<Version>(); }

}  // namespace cli
