import { folded } from './folded-text.ts'

/** Names of fields that are redacted, as they may be written in a result. */
export interface FieldNames {
  /**
   * Whether a name is one of them or has one of them in it: as a word of its own (`work_email`, `emailAddress`, `emails`),
   * and from five letters on also inside of a word (`useremail`). Letters of other alphabets match any letter.
   */
  has(name: string): boolean
  /** Whether a text is one of the names and nothing else. */
  is(text: string): boolean
  /** False where no part of the text can be one of the names: a quick look before a thorough one. */
  mayBeIn(text: string): boolean
}

/** From so many letters on a name is looked for inside of words too. */
const leastInside = 5
/** Longer names are compared as a whole only. */
const longestName = 256

/** Recognises names by what people read in them, see `folded`. */
export function createFieldNames(fields: readonly string[]): FieldNames {
  const targets = [...new Set(fields.map(folded))]
  const plurals = new Set(targets.flatMap((target) => [target, `${target}s`]))
  const known = new Map<string, boolean>()

  function look(name: string): boolean {
    const whole = folded(name)
    if (plurals.has(whole)) return true
    if (targets.some((target) => target.length >= leastInside && whole.includes(target))) return true
    if (name.length > longestName) return false
    return hasWords(wordsOf(name), plurals) || targets.some((target) => isLookalike(whole, target))
  }

  return {
    has(name) {
      const before = known.get(name)
      if (before !== undefined) return before
      const found = look(name)
      known.set(name, found)
      return found
    },
    is: (text) => plurals.has(folded(text)),
    mayBeIn(text) {
      const whole = folded(text)
      // What is left of text that is not plain may hold letters that only look like those of a name.
      return targets.some((target) => whole.includes(target)) || /[^\p{ASCII}]/u.test(whole)
    },
  }
}

/** Whether some words that follow one another make up one of the names: `e-mail` is two words and one name. */
function hasWords(words: readonly string[], names: ReadonlySet<string>): boolean {
  for (let first = 0; first < words.length; first += 1) {
    let joined = ''
    for (let last = first; last < words.length && joined.length <= longestName; last += 1) {
      joined += words[last] ?? ''
      if (names.has(joined)) return true
    }
  }
  return false
}

/** The words of an identifier in camel case, snake case or with digits behind it. */
function wordsOf(name: string): string[] {
  const spaced = name
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Cf}]/gu, '')
    .replaceAll(
      /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/gu,
      ' ',
    )
  return spaced.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Whether a name is written like the target with some of its letters taken from other alphabets. */
function isLookalike(name: string, target: string): boolean {
  if (name.length !== target.length || !/[a-z]/.test(name)) return false
  for (let at = 0; at < name.length; at += 1) {
    const letter = name.charAt(at)
    if (letter !== target.charAt(at) && letter <= '\u007f') return false
  }
  return true
}
