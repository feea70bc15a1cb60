/** A secret on its way to where it is sealed. However it is printed, logged or made JSON of, it shows nothing. */
export class SecretText {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The secret itself, for the one place that needs it. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '(secret)'
  }

  toJSON(): string {
    return '(secret)'
  }
}
