import { nameOfAnswer } from './run-bpf.ts'

type Test = (args: readonly bigint[]) => boolean
type Operand = (args: readonly bigint[]) => bigint

/** What a kafel policy says, by its own rules: the first rule that fits a call counts, and arguments have 64 bits. */
export interface KafelPolicy {
  readonly answer: (number: number, args?: readonly bigint[]) => string
}

/**
 * Reads a kafel policy as its README describes the language, as far as our policies use it: one POLICY of action blocks
 * with numbered calls, USE, DEFAULT; `==`, `&`, `&&`, `||`. Knows nothing of how the policy was made.
 */
export function readKafel(text: string): KafelPolicy {
  return new Reader(text).policy()
}

class Reader {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#tokens = text.match(/\w+|==|&&|\|\||[^\s\w]/g) ?? []
  }

  policy(): KafelPolicy {
    const rules = new Map<number, { readonly test: Test; readonly answer: string }[]>()
    this.#expect('POLICY')
    const name = this.#next()
    this.#expect('{')
    do this.#block(rules)
    while (this.#accept(','))
    this.#expect('}')
    this.#expect('USE')
    this.#expect(name)
    this.#expect('DEFAULT')
    const otherwise = this.#action()
    if (this.#at !== this.#tokens.length) throw new Error(`text after the policy: ${this.#next()}`)
    return {
      answer: (number, args = []) => rules.get(number)?.find(({ test }) => test(args))?.answer ?? otherwise,
    }
  }

  #block(rules: Map<number, { readonly test: Test; readonly answer: string }[]>): void {
    const answer = this.#action()
    this.#expect('{')
    do {
      this.#expect('SYSCALL')
      this.#expect('[')
      const number = Number(this.#next())
      this.#expect(']')
      const list = rules.get(number) ?? []
      rules.set(number, list)
      list.push({ test: this.#callTest(), answer })
    } while (this.#accept(','))
    this.#expect('}')
  }

  #callTest(): Test {
    const names: string[] = []
    if (this.#accept('(')) {
      do names.push(this.#next())
      while (this.#accept(','))
      this.#expect(')')
    }
    if (!this.#accept('{')) return () => true
    const test = this.#either(names)
    this.#expect('}')
    return test
  }

  #either(names: readonly string[]): Test {
    const tests = [this.#both(names)]
    while (this.#accept('||')) tests.push(this.#both(names))
    return (args) => tests.some((test) => test(args))
  }

  #both(names: readonly string[]): Test {
    const tests = [this.#single(names)]
    while (this.#accept('&&')) tests.push(this.#single(names))
    return (args) => tests.every((test) => test(args))
  }

  /** A parenthesis may hold a test or an operand; which, is known at its end. */
  #single(names: readonly string[]): Test {
    const start = this.#at
    if (this.#accept('(')) {
      try {
        const test = this.#either(names)
        this.#expect(')')
        return test
      } catch {
        this.#at = start
      }
    }
    const left = this.#operand(names)
    this.#expect('==')
    const right = this.#operand(names)
    return (args) => left(args) === right(args)
  }

  #operand(names: readonly string[]): Operand {
    const parts = [this.#word(names)]
    while (this.#accept('&')) parts.push(this.#word(names))
    return (args) => parts.reduce((value, part) => value & part(args), (1n << 64n) - 1n)
  }

  #word(names: readonly string[]): Operand {
    if (this.#accept('(')) {
      const operand = this.#operand(names)
      this.#expect(')')
      return operand
    }
    const token = this.#next()
    const index = names.indexOf(token)
    if (index !== -1) return (args) => BigInt.asUintN(64, args[index] ?? 0n)
    const number = BigInt(token)
    return () => number
  }

  #action(): string {
    const word = this.#next()
    if (word === 'ALLOW') return 'allow'
    if (word === 'KILL_PROCESS') return 'kill'
    if (word !== 'ERRNO') throw new Error(`unknown action ${word}`)
    this.#expect('(')
    const number = Number(this.#next())
    this.#expect(')')
    return nameOfAnswer(0x00050000 | number)
  }

  #next(): string {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw new Error('the policy ends too early')
    this.#at += 1
    return token
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  #expect(token: string): void {
    const got = this.#next()
    if (got !== token) throw new Error(`expected ${token}, got ${got}`)
  }
}
