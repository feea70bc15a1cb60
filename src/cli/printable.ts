/** C0 and C1 controls but for tab and line feed, marks that turn or end a line, and the invisible tag characters. */
const driving =
  // oxlint-disable-next-line no-control-regex -- what drives a terminal is what this finds
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu

/** Text of several lines that cannot move the cursor, change colours or reorder what is read. */
export function printable(text: string): string {
  return text.replaceAll(driving, '\ufffd')
}

/**
 * The text as part of one line: everything that is not seen, or that would begin another line, is shown as an escape.
 * For names and sentences in lists of records, so that none can look like a record of its own.
 */
export function printableLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
}

/** JSON that means the same and holds no such character: JSON itself escapes only the first 32. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(driving, (character) =>
    Array.from({ length: character.length }, (_, unit) => {
      return `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`
    }).join(''),
  )
}
