/** Longest word, in UTF-16 units; of a longer one this much is compared. */
const longestWord = 64

/** Names of things that make one word: ids and digests. */
const names = /\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|sha256:[0-9a-f]{64})\b/gi

/**
 * The words of a text, for finding it again: runs of letters, marks and digits in lower case, compatible forms made one
 * (Unicode NFKC), and ids and digests whole. Takes time in proportion to the text.
 */
export function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKC').toLowerCase()
  const found = [...plain.matchAll(names)].map(([name]) => name)
  const rest = found.length === 0 ? plain : plain.replaceAll(names, ' ')
  return [...found, ...(rest.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).map((word) => word.slice(0, longestWord))]
}
