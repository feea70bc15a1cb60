/**
 * A name or value by what people read in it: letters and digits only, without case, accents, invisible characters, width
 * and ligatures, so that `e-mail`, `E_MAIL` and `ｅｍａｉｌ` are one. Letters of other scripts that look alike stay different.
 */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
}

const scripts = [
  /\p{Script=Latin}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
]

/** Whether a name has letters of several scripts that look alike: nobody writes so except to deceive. */
export function mixesScripts(text: string): boolean {
  return scripts.filter((script) => script.test(text)).length > 1
}
