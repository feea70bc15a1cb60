import type { JsonObject } from '../kernel/index.ts'

/** What is not seen, moves what is seen, or is drawn as a blank that is none. */
const unseen =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{M}\u00a0\u115f\u1160\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0]/gu

/**
 * Arguments as JSON of several lines for people to read, the same on every page and terminal. Nothing in it is unseen,
 * reordered or a line of its own: such characters stand as escapes that JSON itself has. Marks too, because letters that
 * they are put on are drawn as others. Letters that look alike are not told apart.
 */
export function argumentsText(args: JsonObject): string {
  return JSON.stringify(args, null, 2)
    .split('\n')
    .map((line) => line.replaceAll(unseen, escaped))
    .join('\n')
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, unit) => {
    return `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`
  }).join('')
}
