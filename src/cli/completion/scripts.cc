#include "cli/completion/scripts.h"

#include <array>

namespace cli {

namespace {

// @NAME@ is the program, @ASK@ its command for candidates.

/// Words are bash's, but not broken at ':' and '=', when bash-completion is there; without it, names with a colon
/// complete up to it.
constexpr std::string_view kBash = R"SCRIPT(# bash completion for @NAME@
_@NAME@_complete() {
    local cur words cword out directive line
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n "=:" cur words cword
    else
        cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    fi
    COMPREPLY=()
    out=$(@NAME@ @ASK@ "${words[@]:1:cword-1}" "$cur" 2>/dev/null) || return
    directive=${out##*:}
    out=${out%:*}
    [[ $directive == [0-9]* ]] || return
    (( directive & 1 )) && return
    while IFS= read -r line; do
        line=${line%%$'\t'*}
        [[ -n $line && $line == "$cur"* ]] && COMPREPLY+=("$line")
    done <<< "$out"
    if (( ${#COMPREPLY[@]} == 0 )); then
        (( directive & 4 )) && compopt +o default +o bashdefault 2>/dev/null
        return 0
    fi
    (( directive & 2 )) && compopt -o nospace
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
    return 0
}
complete -o default -o bashdefault -F _@NAME@_complete @NAME@
)SCRIPT";

constexpr std::string_view kZsh = R"SCRIPT(#compdef @NAME@
# zsh completion for @NAME@
_@NAME@() {
    local out line name directive
    local -a lines candidates space
    out=$(command @NAME@ @ASK@ "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null) || return 1
    lines=("${(@f)out}")
    directive=${lines[-1]#:}
    lines[-1]=()
    [[ $directive == <-> ]] || return 1
    (( directive & 1 )) && return 1
    for line in $lines; do
        name=${line%%$'\t'*}
        name=${name//:/\\:}
        if [[ $line == *$'\t'* ]]; then
            candidates+=("$name:${line#*$'\t'}")
        else
            candidates+=("$name")
        fi
    done
    (( directive & 2 )) && space=(-S '')
    if (( $#candidates )); then
        _describe -t candidates candidate candidates $space && return 0
    fi
    (( directive & 4 )) && return 1
    _files
}
if [ "$funcstack[1]" = "_@NAME@" ]; then
    _@NAME@ "$@"
else
    compdef _@NAME@ @NAME@
fi
)SCRIPT";

constexpr std::string_view kFish = R"SCRIPT(# fish completion for @NAME@
function __@NAME@_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command @NAME@ @ASK@ $words[2..-1] "$current" 2>/dev/null)
    or return
    set -l directive (string sub -s 2 -- $lines[-1])
    set -e lines[-1]
    string match -qr '^[0-9]+$' -- "$directive"
    or return
    test (math "$directive % 2") -eq 1
    and return
    if test (count $lines) -gt 0
        printf '%s\n' $lines
    else if test (math "floor($directive / 4) % 2") -eq 0
        __fish_complete_path "$current"
    end
end
complete -c @NAME@ -e
complete -c @NAME@ -f -a '(__@NAME@_complete)'
)SCRIPT";

constexpr std::string_view kPowershell = R"SCRIPT(# PowerShell completion for @NAME@
Register-ArgumentCompleter -Native -CommandName '@NAME@' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $lines = @(& '@NAME@' @ASK@ @words "$wordToComplete" 2>$null)
    if ($lines.Count -eq 0) { return }
    $directive = [int]$lines[-1].TrimStart(':')
    if ($directive -band 1) { return }
    $lines | Select-Object -SkipLast 1 | ForEach-Object {
        $name, $description = $_ -split "`t", 2
        if (-not $description) { $description = $name }
        [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $description)
    }
}
)SCRIPT";

std::string filled(std::string_view script, std::string_view program, std::string_view ask) {
  std::string out{script};
  const auto replace = [&](std::string_view mark, std::string_view text) {
    for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + text.size())) {
      out.replace(at, mark.size(), text);
    }
  };
  replace("@NAME@", program);
  replace("@ASK@", ask);
  return out;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell, std::string_view program, bool descriptions) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kScripts{
      {{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}, {"powershell", kPowershell}}};
  for (const auto& [name, script] : kScripts) {
    if (name == shell) return filled(script, program, descriptions ? "__complete" : "__completeNoDesc");
  }
  return std::nullopt;
}

}  // namespace cli
