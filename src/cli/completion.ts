/*
 * Scripts that complete commands and options, made from the tree of commands: there is no list to be kept beside it. A
 * script asks nobody: it holds the words.
 */
import type { Command as Node } from 'commander';
import { commandTree } from './command-tree.js';
import type { Shell } from './commands.js';

/** Words that may follow a path of commands: `` is the program itself, `admin users` two levels down. */
type Words = ReadonlyMap<string, readonly string[]>;

/** The script for `shell`. */
export function completionScript(shell: Shell): string {
  const words = wordsOf(commandTree('', () => undefined));
  return SCRIPTS[shell](words);
}

function wordsOf(node: Node, path = '', into = new Map<string, readonly string[]>()): Words {
  const options = node.options.flatMap(({ long }) => (long === undefined ? [] : [long]));
  into.set(path, [...node.commands.map((child) => child.name()), ...options, '--help'].sort());
  for (const child of node.commands) wordsOf(child, `${path} ${child.name()}`.trim(), into);
  return into;
}

const cases = (words: Words): string =>
  [...words].map(([path, list]) => `    '${path}') words='${list.join(' ')}' ;;`).join('\n');

/** The commands among the words typed so far, in the shell's own words; `$words` are those that may follow. */
const pathOf = (typed: string): string => `  local path='' word
  for word in ${typed}; do
    case "$word" in -*) continue ;; esac
    if known "\${path:+$path }$word"; then path="\${path:+$path }$word"; fi
  done`;

const known = (words: Words, name: string): string => `${name}() {
  case "$1" in
    ${[...words.keys()]
      .filter((path) => path !== '')
      .map((path) => `'${path}'`)
      .join('|')}) return 0 ;;
  esac
  return 1
}`;

const SCRIPTS: Readonly<Record<Shell, (words: Words) => string>> = {
  bash: (words) => `# bash: source <(sallyport completion bash)
${known(words, '_sallyport_known')}
_sallyport() {
${pathOf('"${COMP_WORDS[@]:1:COMP_CWORD-1}"').replace('known', '_sallyport_known')}
  local words=''
  case "$path" in
${cases(words)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
# Where no word fits, bash offers files, with blanks in their names and all.
complete -o default -F _sallyport sallyport
`,
  zsh: (words) => `#compdef sallyport
# zsh: source <(sallyport completion zsh)
${known(words, '_sallyport_known')}
_sallyport() {
  local -a typed
  typed=("\${(@)words[2,CURRENT-1]}")
${pathOf('"${typed[@]}"').replace('known', '_sallyport_known')}
  local words=''
  case "$path" in
${cases(words)}
  esac
  compadd -- \${=words} || _files
}
compdef _sallyport sallyport
`,
  fish: (words) => `# fish: sallyport completion fish | source
function __sallyport_path
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    contains -- (string join ' ' $path $word) ${[...words.keys()]
      .filter((path) => path !== '')
      .map((path) => `'${path}'`)
      .join(' ')}; and set -a path $word
  end
  string join ' ' $path
end
complete -c sallyport -f
${[...words]
  .map(
    ([path, list]) =>
      `complete -c sallyport -n 'test (string join " " (__sallyport_path)) = "${path}"' -a '${list.join(' ')}'`,
  )
  .join('\n')}
`,
};
