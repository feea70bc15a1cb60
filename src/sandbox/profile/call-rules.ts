import type { ErrnoName, FilterName, SeccompProfile, SeccompRule } from './seccomp-profile.ts'

/** What one filter does with one system call. */
export type CallRule =
  | { readonly answer: 'allow' | 'kill' | 'done' }
  | { readonly answer: 'errno'; readonly errno: ErrnoName }
  | { readonly answer: 'by-arguments'; readonly rule: SeccompRule }

/** Error numbers of the asm-generic table, which both architectures use. */
export const errnoNumbers: Readonly<Record<ErrnoName, number>> = {
  EPERM: 1,
  EACCES: 13,
  EINVAL: 22,
  ENOSYS: 38,
  ENOTSUP: 95,
}

/** The first number that libraries probe for by ENOSYS; below it a call without a rule is refused by EPERM. */
export const firstProbedNumber = 424

/**
 * One filter of the profile, call by call: the base list with what the filter's own layer changes in it. Every form of
 * the filter (raw BPF, kafel, OCI) is made from this. A call without a rule gets the default.
 * @throws Error where the profile names a call that no architecture has, or names one twice: a rule must not vanish by a typing mistake
 */
export function callRules(
  profile: SeccompProfile,
  filter: FilterName,
  knownNames: ReadonlySet<string>,
): ReadonlyMap<string, CallRule> {
  const rules = new Map<string, CallRule>()
  const put = (name: string, rule: CallRule, replaces: boolean): void => {
    if (!knownNames.has(name)) throw new Error(`seccomp.json names an unknown system call: ${name}`)
    if (!replaces && rules.has(name)) throw new Error(`seccomp.json names a system call twice: ${name}`)
    rules.set(name, rule)
  }
  for (const name of profile.allow) put(name, { answer: 'allow' }, false)
  for (const name of profile.kill) put(name, { answer: 'kill' }, false)
  for (const name of profile.done.calls) put(name, { answer: 'done' }, false)
  for (const [name, errno] of Object.entries(profile.errno)) put(name, { answer: 'errno', errno }, false)
  for (const [name, rule] of Object.entries(profile.args)) put(name, { answer: 'by-arguments', rule }, false)
  const layer = profile.profiles[filter]
  for (const name of layer.allow) put(name, { answer: 'allow' }, true)
  for (const [name, rule] of Object.entries(layer.args)) put(name, { answer: 'by-arguments', rule }, true)
  return rules
}
