/** Values are told apart by so many characters at most: a longer one that begins alike counts as the same. */
const maxLength = 32

/** Shorter values are found in almost any text. */
export const leastLength = 4

interface Node {
  readonly next: Map<string, Node>
  isEnd: boolean
}

/** Finds any of many folded values in a folded text, in time bounded by the length of the text alone. */
export class ValueTrie {
  readonly #root: Node = { next: new Map(), isEnd: false }

  /** Values shorter than `leastLength` are not kept. */
  add(value: string): void {
    if (value.length < leastLength) return
    let node = this.#root
    for (let at = 0; at < Math.min(value.length, maxLength); at += 1) {
      const character = value.charAt(at)
      const known = node.next.get(character)
      const next = known ?? { next: new Map(), isEnd: false }
      if (known === undefined) node.next.set(character, next)
      node = next
    }
    node.isEnd = true
  }

  isIn(text: string): boolean {
    if (this.#root.next.size === 0) return false
    for (let start = 0; start < text.length; start += 1) {
      let node: Node | undefined = this.#root
      for (let at = start; node !== undefined && !node.isEnd; at += 1) node = node.next.get(text.charAt(at))
      if (node?.isEnd === true) return true
    }
    return false
  }
}
