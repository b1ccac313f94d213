package main

import (
	"fmt"
	"slices"
	"strings"
)

// shells are those that completion is written for.
var shells = []string{"bash", "zsh", "fish"}

// runCompletion prints a script for a shell. It is made of the flags of the
// commands themselves.
func runCompletion(in *invocation, args []string) int {
	rest, ok, code := in.parse(in.flags("completion"), args, 1)
	if !ok {
		return code
	}
	if len(rest) == 0 {
		return in.misuse("name a shell: bash, zsh or fish; `apigw completion -h` says where the script belongs")
	}
	switch rest[0] {
	case "bash":
		in.bashCompletion()
	case "zsh":
		in.zshCompletion()
	case "fish":
		in.fishCompletion()
	default:
		return in.misuse("there is no completion for %q%s; there is one for bash, zsh and fish", shorten(rest[0]),
			in.didYouMean(rest[0], shells))
	}
	return exitOK
}

// completable is a command with what can stand behind it.
type completable struct {
	name, about string
	flags       []flagInfo
	words       []string // arguments that are known
}

// knownWords are arguments that a command can have.
func knownWords(command string) []string {
	switch command {
	case "policy":
		return []string{"check", "schema"}
	case "completion":
		return shells
	case "help":
		words := slices.Clone(topics)
		for _, c := range commands() {
			words = append(words, c.name)
		}
		return words
	}
	return nil
}

func (in *invocation) completables() (list []completable) {
	for _, c := range commands() {
		// The first line of a page says what the command is for.
		_, about, _ := strings.Cut(in.page(c.name), " - ")
		about, _, _ = strings.Cut(about, "\n")
		list = append(list, completable{c.name, about, flagsOf(c), knownWords(c.name)})
	}
	return list
}

// bashCompletion completes commands, then flags and words, else files.
func (in *invocation) bashCompletion() {
	var names []string
	var cases strings.Builder
	for _, c := range in.completables() {
		names = append(names, c.name)
		var words []string
		for _, f := range c.flags {
			words = append(words, dashed(f.name))
		}
		fmt.Fprintf(&cases, "    %s) words=%q; args=%q ;;\n", c.name, strings.Join(words, " "),
			strings.Join(c.words, " "))
	}
	// Global flags may stand before the command. Without a word that is known, bash
	// completes files, as -o default says.
	fmt.Fprintf(in.stdout, `# bash completion of apigw
_apigw() {
  local cur=${COMP_WORDS[COMP_CWORD]} words= args= i
  COMPREPLY=()
  case ${COMP_WORDS[COMP_CWORD-1]} in
%s  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -* || ${COMP_WORDS[i-1]} == --lang ]] || break
  done
  if ((i >= COMP_CWORD)); then
    COMPREPLY=($(compgen -W %q -- "$cur"))
    return
  fi
  case ${COMP_WORDS[i]} in
%s  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  elif [[ -n $args ]]; then
    COMPREPLY=($(compgen -W "$args" -- "$cur"))
  fi
}
complete -o default -o bashdefault -F _apigw apigw
`, bashValues(), strings.Join(names, " ")+" --lang --version -h", cases.String())
}

// zshCompletion describes commands by their pages.
func (in *invocation) zshCompletion() {
	var described, cases strings.Builder
	for _, c := range in.completables() {
		fmt.Fprintf(&described, "    %s\n", zshQuote(c.name+":"+strings.ReplaceAll(c.about, ":", `\:`)))
		fmt.Fprintf(&cases, "    %s) _arguments", c.name)
		for _, f := range c.flags {
			value := ":value:_files"
			if values := valuesOf(f.name); values != nil {
				value = ":value:(" + strings.Join(values, " ") + ")"
			}
			if f.isBool {
				value = ""
			}
			fmt.Fprintf(&cases, " '*%s[]%s'", dashed(f.name), value)
		}
		rest := "_files"
		if len(c.words) > 0 {
			rest = "(" + strings.Join(c.words, " ") + ")"
		}
		fmt.Fprintf(&cases, " '*:argument:%s' ;;\n", rest)
	}
	fmt.Fprintf(in.stdout, `#compdef apigw
# zsh completion of apigw
_apigw() {
  local -a commands
  commands=(
%s  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
%s  esac
}
if [ "$funcstack[1]" = _apigw ]; then
  _apigw "$@"
else
  compdef _apigw apigw
fi
`, described.String(), cases.String())
}

func zshQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// fishCompletion has a line for each flag of each command.
func (in *invocation) fishCompletion() {
	fmt.Fprintln(in.stdout, "# fish completion of apigw")
	for _, c := range in.completables() {
		fmt.Fprintf(in.stdout, "complete -c apigw -n __fish_use_subcommand -f -a %s -d %s\n", c.name, zshQuote(c.about))
		condition := zshQuote("__fish_seen_subcommand_from " + c.name)
		for _, f := range c.flags {
			kind, value := "-l", " -r"
			if len(f.name) == 1 {
				kind = "-s"
			}
			if values := valuesOf(f.name); values != nil {
				value = " -x -a " + zshQuote(strings.Join(values, " "))
			}
			if f.isBool {
				value = ""
			}
			fmt.Fprintf(in.stdout, "complete -c apigw -n %s %s %s%s\n", condition, kind, f.name, value)
		}
		if len(c.words) > 0 {
			fmt.Fprintf(in.stdout, "complete -c apigw -n %s -f -a %s\n", condition,
				zshQuote(strings.Join(c.words, " ")))
		}
	}
}
