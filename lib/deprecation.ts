// Names that have a better one since. They work for one version more, and say so once.
const said = new Set<string>();

/** Emits a DeprecationWarning with this code, at the first call for it. */
export function deprecated(code: `RINGPOLL_DEP_${string}`, message: string): void {
  if (said.has(code)) return;
  said.add(code);
  process.emitWarning(message, 'DeprecationWarning', code);
}

/** Options that are renamed, and the code of the warning. */
const RENAMED = {
  deadline: 'RINGPOLL_DEP_DEADLINE',
  userData: 'RINGPOLL_DEP_USER_DATA',
} as const;

/**
 * The value of the option `name`; or, with a warning, that of `old`, as it was called before.
 * `of` is whose options these are, such as "listen()".
 */
export function renamedOption<T extends object, Name extends keyof T & string>(
  of: string,
  options: T,
  name: Name,
  old: keyof T & keyof typeof RENAMED,
): T[Name] {
  const value = options[name];
  const given = options[old];
  if (value !== undefined || given === undefined) return value;
  deprecated(RENAMED[old], `The option ${old} of ${of} is deprecated: its name is ${name}`);
  return given as unknown as T[Name];
}
