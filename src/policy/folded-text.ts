/** Text of ASCII alone. */
const plain = /^[\p{ASCII}]*$/u

/**
 * A name or value by what people read in it: letters and digits only, without case, accents, invisible characters, width
 * and ligatures, so that `e-mail`, `E_MAIL` and `ｅｍａｉｌ` are one. Letters of other scripts that look alike stay different.
 */
export function folded(text: string): string {
  // Most text is plain, and to normalise it costs more than all the rest.
  if (plain.test(text)) return text.replaceAll(/[^A-Za-z0-9]+/g, '').toLowerCase()
  return text
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
}
