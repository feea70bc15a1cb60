/** Matches text in time proportional to its length times the size of the pattern, whatever the two are. */
export interface LinearPattern {
  /** As `RegExp.prototype.test` with the flag `u`. `spend` is told the steps taken and may throw to stop. */
  test(text: string, spend: (steps: number) => void): boolean
}

/** A pattern, or why it cannot be used. */
export type CompiledPattern =
  | { readonly ok: true; readonly pattern: LinearPattern }
  | { readonly ok: false; readonly message: string }

type Instruction =
  | { readonly kind: 'accept' }
  | { readonly kind: 'symbol'; readonly accepts: (symbol: string) => boolean }
  /** Goes on at both targets. */
  | { kind: 'fork'; first: number; second: number }
  | { readonly kind: 'assert'; readonly holds: (before: string, after: string) => boolean }

const maximumInstructions = 1000
const word = /^[0-9A-Za-z_]$/

class Unsupported extends Error {}

/**
 * Compiles an ECMA-262 regular expression (flag `u`, the dialect of JSON Schema 2020-12 section 6.4) for a simulation
 * without backtracking: the patterns of a schema are its author's, and a backtracking matcher can be kept busy for
 * hours by `(a+)+$`. Not supported, because no such simulation exists for them: back references and look-around.
 */
export function compilePattern(source: string): CompiledPattern {
  try {
    // Compiling is safe, matching is not: syntax errors come from here, so the parser below sees valid patterns only.
    RegExp(source, 'u')
  } catch {
    return { ok: false, message: 'is not a valid regular expression' }
  }
  try {
    const program = compile(source)
    return { ok: true, pattern: { test: (text, spend) => simulate(program, text, spend) } }
  } catch (error) {
    if (error instanceof Unsupported) return { ok: false, message: error.message }
    throw error
  }
}

/** Emits instructions while it descends; a quantified part is parsed once for every copy that it needs. */
function compile(source: string): Instruction[] {
  const program: Instruction[] = []
  const symbols = Array.from(source)
  let at = 0
  let copies = 0
  const emit = (instruction: Instruction): number => {
    if (program.length >= maximumInstructions) throw new Unsupported('is too large (counted repeats multiply)')
    return program.push(instruction) - 1
  }

  const alternatives = (depth: number): void => {
    if (depth > 50) throw new Unsupported('is nested too deeply')
    const start = at
    const ends = splitAlternatives(symbols, start)
    const exits: { kind: 'fork'; first: number; second: number }[] = []
    for (const [index, end] of ends.entries()) {
      const fork = { kind: 'fork' as const, first: program.length + 1, second: 0 }
      const isLast = index === ends.length - 1
      if (!isLast) emit(fork)
      while (at < end) term(depth)
      if (!isLast) {
        const exit = { kind: 'fork' as const, first: 0, second: 0 }
        emit(exit)
        exits.push(exit)
        fork.second = program.length
        at += 1
      }
    }
    for (const exit of exits) exit.first = exit.second = program.length
  }

  const term = (depth: number): void => {
    const start = at
    atom(depth, false)
    const afterAtom = at
    const { minimum, maximum, end } = readQuantifier(symbols, at)
    if (end === afterAtom) {
      at = start
      atom(depth, true)
      return
    }
    const copy = (): void => {
      // Copies of an empty group emit nothing and still take time.
      copies += 1
      if (copies > maximumInstructions) throw new Unsupported('is too large (counted repeats multiply)')
      at = start
      atom(depth, true)
    }
    for (let count = 0; count < minimum; count++) copy()
    if (maximum === Infinity) {
      const fork = { kind: 'fork' as const, first: program.length + 1, second: 0 }
      const entry = emit(fork)
      copy()
      emit({ kind: 'fork', first: entry, second: entry })
      fork.second = program.length
    } else {
      const forks = []
      for (let count = minimum; count < maximum; count++) {
        const fork = { kind: 'fork' as const, first: program.length + 1, second: 0 }
        emit(fork)
        forks.push(fork)
        copy()
      }
      for (const fork of forks) fork.second = program.length
    }
    at = end
  }

  /** With `emits` false only finds the end. */
  const atom = (depth: number, emits: boolean): void => {
    const symbol = symbols[at] ?? ''
    if (symbol === '(') {
      const close = closingParenthesis(symbols, at)
      if (emits) {
        at = groupBody(symbols, at)
        alternatives(depth + 1)
      }
      at = close + 1
      return
    }
    const end = symbol === '[' ? closingBracket(symbols, at) + 1 : symbol === '\\' ? endOfEscape(symbols, at) : at + 1
    const text = symbols.slice(at, end).join('')
    at = end
    if (emits) emit(instructionFor(text))
  }

  alternatives(0)
  emit({ kind: 'accept' })
  return program
}

function instructionFor(text: string): Instruction {
  if (text === '^') return { kind: 'assert', holds: (before) => before === '' }
  if (text === '$') return { kind: 'assert', holds: (_before, after) => after === '' }
  if (text === '\\b') return { kind: 'assert', holds: (before, after) => word.test(before) !== word.test(after) }
  if (text === '\\B') return { kind: 'assert', holds: (before, after) => word.test(before) === word.test(after) }
  if (/^\\[1-9k]/.test(text)) throw new Unsupported('uses a back reference, which cannot be matched in bounded time')
  if (!/^[\\[.]/.test(text)) return { kind: 'symbol', accepts: (symbol) => symbol === text }
  // One symbol against one class: nothing here can backtrack.
  const single = new RegExp(`^${text}$`, 'u')
  return { kind: 'symbol', accepts: (symbol) => single.test(symbol) }
}

function groupBody(symbols: readonly string[], at: number): number {
  if (symbols[at + 1] !== '?') return at + 1
  if (symbols[at + 2] === ':') return at + 3
  if (symbols[at + 2] === '<' && symbols[at + 3] !== '=' && symbols[at + 3] !== '!') return symbols.indexOf('>', at) + 1
  throw new Unsupported('uses look-around or flags in a group, which cannot be matched in bounded time')
}

function readQuantifier(symbols: readonly string[], at: number): { minimum: number; maximum: number; end: number } {
  const symbol = symbols[at] ?? ''
  let end = at + 1
  let range: readonly [number, number]
  if (symbol === '*') range = [0, Infinity]
  else if (symbol === '+') range = [1, Infinity]
  else if (symbol === '?') range = [0, 1]
  else if (symbol === '{') {
    const close = symbols.indexOf('}', at)
    const [low = '0', high] = symbols
      .slice(at + 1, close)
      .join('')
      .split(',')
    range = [Number(low), high === undefined ? Number(low) : high === '' ? Infinity : Number(high)]
    end = close + 1
  } else return { minimum: 1, maximum: 1, end: at }
  return { minimum: range[0], maximum: range[1], end: symbols[end] === '?' ? end + 1 : end }
}

/** The index after an escape. */
function endOfEscape(symbols: readonly string[], at: number): number {
  const next = symbols[at + 1] ?? ''
  if ((next === 'u' || next === 'p' || next === 'P') && symbols[at + 2] === '{') return symbols.indexOf('}', at) + 1
  if (next === 'u') {
    // Two escaped surrogates are one symbol under the flag `u`.
    const pair = /^\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}/.test(symbols.slice(at, at + 12).join(''))
    return at + (pair ? 12 : 6)
  }
  if (next === 'x') return at + 4
  if (next === 'c') return at + 3
  return at + 2
}

function closingBracket(symbols: readonly string[], at: number): number {
  let index = at + 1
  while (symbols[index] !== ']') index = symbols[index] === '\\' ? endOfEscape(symbols, index) : index + 1
  return index
}

function closingParenthesis(symbols: readonly string[], at: number): number {
  let depth = 0
  for (let index = at; ; index = step(symbols, index)) {
    if (symbols[index] === '(') depth += 1
    if (symbols[index] === ')') depth -= 1
    if (depth === 0) return index
  }
}

/** The ends of the alternatives that start here: each `|` at this level, and the closing parenthesis or the end. */
function splitAlternatives(symbols: readonly string[], start: number): number[] {
  const ends: number[] = []
  let index = start
  while (index < symbols.length && symbols[index] !== ')') {
    if (symbols[index] === '|') ends.push(index)
    index = symbols[index] === '(' ? closingParenthesis(symbols, index) + 1 : step(symbols, index)
  }
  return [...ends, index]
}

function step(symbols: readonly string[], index: number): number {
  if (symbols[index] === '\\') return endOfEscape(symbols, index)
  return symbols[index] === '[' ? closingBracket(symbols, index) + 1 : index + 1
}

/** Runs all threads side by side (Thompson 1968): at most one per instruction at every position. */
function simulate(program: readonly Instruction[], text: string, spend: (steps: number) => void): boolean {
  const symbols = Array.from(text)
  let threads: number[] = []
  for (let position = 0; position <= symbols.length; position++) {
    const before = symbols[position - 1] ?? ''
    const after = symbols[position] ?? ''
    const waiting: number[] = []
    const seen = new Uint8Array(program.length)
    // The search may start at every position: instruction 0 joins each time.
    const pending = [...threads, 0]
    let steps = 1
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (seen[index] === 1) continue
      seen[index] = 1
      steps += 1
      const instruction = program[index]
      if (instruction === undefined || instruction.kind === 'accept') return true
      if (instruction.kind === 'fork') pending.push(instruction.first, instruction.second)
      else if (instruction.kind === 'symbol') waiting.push(index)
      else if (instruction.holds(before, after)) pending.push(index + 1)
    }
    spend(steps)
    threads = []
    if (position === symbols.length) return false
    for (const index of waiting) {
      const instruction = program[index]
      if (instruction?.kind === 'symbol' && instruction.accepts(after)) threads.push(index + 1)
    }
  }
  return false
}
