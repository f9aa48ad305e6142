import type { Argument, Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What can stand where a value is wanted: words that are known beforehand, or what the shell or the control plane knows. */
export type ValueKind =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'names'; readonly of: NameKind }
  | { readonly kind: 'files' | 'directories' | 'none' };

/** Names that `warren __complete` asks the control plane for, or the contexts' file. */
export const NAME_KINDS = ['network', 'node', 'token', 'apikey', 'context', 'server', 'session'] as const;
export type NameKind = (typeof NAME_KINDS)[number];

/** One command as completion sees it. */
export interface CompletionNode {
  /** Words behind `warren`, with spaces; the program itself is empty. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly description: string;
    /** Absent: the option takes no value. */
    readonly value?: ValueKind;
  }[];
  /** Of each positional argument. */
  readonly values: readonly ValueKind[];
  /** Whether the last of them may be followed by more of its kind. */
  readonly variadic: boolean;
}

/** Every command that people are shown, the program first. */
export function completionTree(program: Command): CompletionNode[] {
  const nodes: CompletionNode[] = [];
  const visit = (command: Command, path: string): void => {
    const commands = visible(command);
    nodes.push({
      path,
      commands: commands.map((each) => ({ name: each.name(), description: each.description() })),
      options: command.options.map(optionOf),
      values: command.registeredArguments.map((argument) => valueKind(argument.name(), argument.argChoices, command)),
      variadic: command.registeredArguments.at(-1)?.variadic ?? false,
    });
    for (const each of commands) visit(each, path === '' ? each.name() : `${path} ${each.name()}`);
  };
  visit(program, '');
  return nodes;
}

const visible = (command: Command): Command[] =>
  command.commands.filter((each) => !(each as Command & { _hidden?: boolean })._hidden) as Command[];

function optionOf(option: Option): CompletionNode['options'][number] {
  const flags = [option.long, option.short].filter((flag) => flag !== undefined && flag !== null);
  const takesValue = option.required || option.optional;
  const name = /[<[]([^>\].]+)/.exec(option.flags)?.[1] ?? '';
  return {
    flags,
    description: option.description,
    ...(takesValue ? { value: valueKind(name, option.argChoices) } : {}),
  };
}

/** By the name that help shows in angle brackets, which therefore is one of a few. */
function valueKind(name: string, choices?: Argument['argChoices'], command?: Command): ValueKind {
  if (choices) return { kind: 'words', words: choices };
  if (name === 'file' || name === 'files') return { kind: 'files' };
  if (name === 'directory' || name === 'path') return { kind: 'directories' };
  if (name === 'id' && command) {
    const of = { token: 'token', apikey: 'apikey', signal: 'server', session: 'session' }[command.parent?.name() ?? ''];
    return of ? { kind: 'names', of: of as NameKind } : { kind: 'none' };
  }
  const of = NAME_KINDS.find((kind) => kind === name || (name === 'peer' && kind === 'node'));
  return of ? { kind: 'names', of } : { kind: 'none' };
}

/** The script that a shell reads once. @param tree from `completionTree` */
export function completionScript(shell: Shell, tree: readonly CompletionNode[]): string {
  if (shell === 'fish') return fishScript(tree);
  return shell === 'bash' ? bashScript(tree) : zshScript(tree);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** `words a b`, `names node`, `files`, …: what the scripts understand. */
function kindWords(value: ValueKind): string {
  if (value.kind === 'words') return `words ${value.words.join(' ')}`;
  return value.kind === 'names' ? `names ${value.of}` : value.kind;
}

/** `node show 0` and what belongs there; `import more` for what follows a variadic argument. */
const positions = ({ path, values, variadic }: CompletionNode): [string, ValueKind][] => [
  ...values.map((value, i): [string, ValueKind] => [`${path} ${i}`, value]),
  ...(variadic ? [[`${path} more`, values.at(-1)!] as [string, ValueKind]] : []),
];

/** The tables of bash and zsh, which both read them. Lines of `word<tab>description`. */
function shellTables(tree: readonly CompletionNode[]): string {
  const lines = (words: readonly (readonly [string, string])[]): string =>
    words.length === 0 ? ':' : `printf '%s\\t%s\\n' ${words.map((pair) => pair.map(quoted).join(' ')).join(' ')}`;
  const commands = tree
    .filter((node) => node.commands.length > 0)
    .map((node) => `  ${quoted(node.path)}) ${lines(node.commands.map((each) => [each.name, each.description]))} ;;`);
  const options = tree.map((node) => {
    const words = node.options.flatMap((option) => option.flags.map((flag) => [flag, option.description] as const));
    return `  ${quoted(node.path)}) ${lines([...words, ['--help', 'what it does']])} ;;`;
  });
  const values = tree.flatMap((node) => [
    ...node.options.flatMap((option) =>
      option.value
        ? option.flags.map((flag) => `  ${quoted(`${node.path} ${flag}`)}) echo ${quoted(kindWords(option.value!))} ;;`)
        : [],
    ),
    ...positions(node).map(([key, value]) => `  ${quoted(key)}) echo ${quoted(kindWords(value))} ;;`),
  ]);
  return `_warren_commands() { case "$1" in
${commands.join('\n')}
  *) : ;;
esac; }
_warren_options() { case "$1" in
${options.join('\n')}
  *) : ;;
esac; }
_warren_value() { case "$1" in
${values.join('\n')}
  *) return 1 ;;
esac; }
# Walks the words before the one that is completed: which command, which argument, or which option's value comes next.
_warren_walk() {
  _warren_path='' _warren_position=0 _warren_pending=''
  local word
  for word in "$@"; do
    if [ -n "$_warren_pending" ]; then
      _warren_pending=''
    elif [ "\${word#-}" != "$word" ]; then
      case "$word" in *=*) ;; *) if _warren_value "$_warren_path $word" >/dev/null; then _warren_pending=$word; fi ;; esac
    elif _warren_commands "$_warren_path" | cut -f1 | grep -qxF -- "$word"; then
      _warren_path=\${_warren_path:+$_warren_path }$word
      _warren_position=0
    else
      _warren_position=$((_warren_position + 1))
    fi
  done
}
# What may come next: \`commands\`, \`options\`, or what _warren_value says.
_warren_next() {
  if [ -n "$_warren_pending" ]; then _warren_value "$_warren_path $_warren_pending"
  elif [ "\${1#-}" != "$1" ]; then echo options
  elif [ "$_warren_position" = 0 ] && [ -n "$(_warren_commands "$_warren_path")" ]; then echo commands
  else _warren_value "$_warren_path $_warren_position" || _warren_value "$_warren_path more" || echo options
  fi
}`;
}

const bashScript = (
  tree: readonly CompletionNode[],
): string => `# bash completion of warren: source <(warren completion bash)
${shellTables(tree)}
_warren() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=("\${COMP_WORDS[@]:1:COMP_CWORD-1}") next words
  local _warren_path _warren_position _warren_pending
  _warren_walk "\${previous[@]}"
  next=$(_warren_next "$current")
  COMPREPLY=()
  case "$next" in
  files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
  directories) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
  none) return ;;
  commands) words=$(_warren_commands "$_warren_path") ;;
  options) words=$(_warren_options "$_warren_path") ;;
  words\\ *) words=$(printf '%s\\n' \${next#words }) ;;
  names\\ *) words=$("\${COMP_WORDS[0]/#\\~/$HOME}" __complete "\${next#names }" -- "\${previous[@]}" 2>/dev/null) ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$(printf '%s\\n' "$words" | cut -f1)" -- "$current")
}
complete -F _warren warren
`;

const zshScript = (tree: readonly CompletionNode[]): string => `#compdef warren
# zsh completion of warren: source <(warren completion zsh), or save it as _warren in a directory of $fpath
${shellTables(tree)}
_warren() {
  local next line
  local -a values names
  local _warren_path _warren_position _warren_pending
  _warren_walk "\${(@)words[2,CURRENT-1]}"
  next=$(_warren_next "\${words[CURRENT]}")
  case "$next" in
  files) _files; return ;;
  directories) _files -/; return ;;
  none) return 1 ;;
  commands) values=("\${(@f)$(_warren_commands "$_warren_path")}") ;;
  options) values=("\${(@f)$(_warren_options "$_warren_path")}") ;;
  words\\ *) values=(\${=next#words }) ;;
  names\\ *) values=("\${(@f)$("\${words[1]/#\\~/$HOME}" __complete "\${next#names }" -- "\${(@)words[2,CURRENT-1]}" 2>/dev/null)}") ;;
  esac
  for line in "\${values[@]}"; do
    [[ -n $line ]] || continue
    names+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${\${line#*$'\\t'}:#$line}")
  done
  _describe -t values warren names
}
if [ "\${funcstack[1]}" = _warren ]; then _warren "$@"; else compdef _warren warren; fi
`;

function fishScript(tree: readonly CompletionNode[]): string {
  const table = (
    name: string,
    rows: readonly (readonly [string, readonly (readonly [string, string])[]])[],
  ): string => {
    const cases = rows
      .filter(([, words]) => words.length > 0)
      .map(([path, words]) => {
        const printed = words.map((pair) => pair.map(fishQuoted).join(' ')).join(' ');
        return `        case ${fishQuoted(path)}\n            printf '%s\\t%s\\n' ${printed}`;
      });
    return `function ${name}\n    switch "$argv[1]"\n${cases.join('\n')}\n    end\nend`;
  };
  const values = tree.flatMap((node) => [
    ...node.options.flatMap((option) =>
      option.value ? option.flags.map((flag) => [`${node.path} ${flag}`, kindWords(option.value!)] as const) : [],
    ),
    ...positions(node).map(([key, value]) => [key, kindWords(value)] as const),
  ]);
  const options = tree.map(
    ({ path, options: all }) =>
      [
        path,
        [
          ...all.flatMap((one) => one.flags.map((flag) => [flag, one.description] as const)),
          ['--help', 'what it does'],
        ],
      ] as [string, [string, string][]],
  );
  return `# fish completion of warren: warren completion fish | source
${table(
  '__warren_commands',
  tree.map((node) => [node.path, node.commands.map((each) => [each.name, each.description] as const)]),
)}
${table('__warren_options', options)}
function __warren_value
    switch "$argv[1]"
${values.map(([key, kind]) => `        case ${fishQuoted(key)}\n            echo ${fishQuoted(kind)}`).join('\n')}
        case '*'
            return 1
    end
end
function __warren
    set -l all (commandline -opc)
    set -l current (commandline -ct)
    set -l path ''
    set -l position 0
    set -l pending ''
    for word in $all[2..-1]
        if test -n "$pending"
            set pending ''
        else if string match -q -- '-*' "$word"
            if not string match -q -- '*=*' "$word"; and __warren_value "$path $word" >/dev/null
                set pending $word
            end
        else if contains -- "$word" (__warren_commands "$path" | string replace -r '\\t.*' '')
            set path (string trim -- "$path $word")
            set position 0
        else
            set position (math $position + 1)
        end
    end
    set -l next
    if test -n "$pending"
        set next (__warren_value "$path $pending")
    else if string match -q -- '-*' "$current"
        set next options
    else if test $position = 0; and test -n "$(__warren_commands "$path")"
        set next commands
    else
        set next (__warren_value "$path $position"); or set next (__warren_value "$path more"); or set next options
    end
    switch "$next"
        case commands
            __warren_commands "$path"
        case options
            __warren_options "$path"
        case files
            __fish_complete_path "$current"
        case directories
            __fish_complete_directories "$current"
        case 'words *'
            string split ' ' -- (string replace 'words ' '' -- "$next")
        case 'names *'
            $all[1] __complete (string replace 'names ' '' -- "$next") -- $all[2..-1] 2>/dev/null
    end
end
complete -c warren -f -a '(__warren)'
`;
}
