import { hidesText } from './extractor.ts'

/** A host name in the form that policies compare, or what is wrong with it. */
export type HostName = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly problem: string }

const problem = (text: string): HostName => ({ ok: false, problem: text })

/** Letters that the two versions of IDNA turn into different names (UTS 46 section 1.2: deviation characters). */
const deviations = /[\u00DF\u1E9E\u03C2\u200C\u200D]/u

/**
 * A domain name of at least so many labels in lower case, every label that is not ASCII as punycode: so a name in
 * look-alike letters never equals the name that it looks like. Refused is what readers disagree on: letters that IDNA 2003 and 2008
 * or Unicode normalization turn into others (full-width letters, other dots), numbers that could be an IPv4 address,
 * an end in a dot. Does not ask whether the name is registered.
 */
export function hostName(text: string, leastLabels = 2): HostName {
  if (text.length === 0) return problem('lacks a domain')
  if (text.length > 253) return problem('holds a domain that is too long')
  if (hidesText(text)) return problem('holds a domain with invisible or control characters')
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(text)) return problem('holds a domain with characters that no domain has')
  const labels = text.split('.')
  if (labels.length < leastLabels) return problem('holds a domain of one label')
  for (const label of labels) {
    if (label === '' || label.length > 63) return problem('holds a domain with an empty or too long label')
    if (label.startsWith('-') || label.endsWith('-'))
      return problem('holds a domain with a hyphen at an end of a label')
    if (deviations.test(label) || label.normalize('NFKC') !== label)
      return problem('holds a domain that readers of Unicode turn into different names')
  }
  if (/^(?:\d+|0x[0-9a-f]*)$/iu.test(labels.at(-1) ?? '')) return problem('holds a number in place of a domain')
  const spelled = `http://${text}/`
  const name = URL.canParse(spelled) ? new URL(spelled).hostname : ''
  if (!/^[a-z0-9.-]+$/u.test(name)) return problem('holds a domain that cannot be written in ASCII')
  return { ok: true, name }
}
