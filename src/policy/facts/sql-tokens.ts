import { hidesText } from './extractor.ts'

/** The dialects whose quoting and reserved words are known here. MariaDB is `mysql`. */
export const sqlDialects = ['postgresql', 'mysql', 'sqlite'] as const
export type SqlDialect = (typeof sqlDialects)[number]

/** A part of a statement that means something: comments and spaces are left out. */
export interface SqlToken {
  /** `word`: a key word or a name without quotes; `name`: a quoted name; `value`: a string, number or parameter. */
  readonly kind: 'word' | 'name' | 'value' | 'symbol'
  /** A word as written; a quoted name without its quotes; a symbol of one character. */
  readonly text: string
  /** The word in lower case; empty for everything else. */
  readonly word: string
}

const lengthLimit = 32_768
const tokenLimit = 4_096

/**
 * Cuts SQL into tokens, or says why different databases, or one in different settings, could cut it differently:
 * comments that are code or that nest, a backslash before a quote, dollar quotes, Unicode escapes in quotes, names
 * that begin with digits or hold a dollar sign, letters outside of quotes that are not ASCII, line ends that not every reader takes for one.
 */
export function sqlTokens(text: string, dialect: SqlDialect): readonly SqlToken[] | string {
  if (text.length > lengthLimit) return `is longer than ${lengthLimit} characters`
  if (hidesText(text.replaceAll(/\r\n|[\n\t]/gu, ' '))) return 'holds an invisible or control character'
  const tokens: SqlToken[] = []
  for (let at = 0; at < text.length;) {
    if (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') {
      at += 1
      continue
    }
    const end = commentEnd(text, at)
    if (typeof end === 'string') return end
    if (end !== at) {
      at = end
      continue
    }
    const found = tokenAt(text, at, dialect)
    if (typeof found === 'string') return found
    if (tokens.length >= tokenLimit) return `holds more than ${tokenLimit} words and signs`
    tokens.push(found.token)
    at = found.end
  }
  return tokens
}

/** Where a comment that begins here ends; `at` where none does. */
function commentEnd(text: string, at: number): number | string {
  if (text.startsWith('--', at)) {
    if (at + 2 < text.length && !/[ \t\r\n]/u.test(text[at + 2] ?? ''))
      return 'holds "--" that not every database takes for a comment'
    const line = text.indexOf('\n', at)
    return line === -1 ? text.length : line
  }
  if (!text.startsWith('/*', at)) return at
  const end = text.indexOf('*/', at + 2)
  if (end === -1) return 'holds a comment that does not end'
  const comment = text.slice(at + 2, end)
  if (/^[!+]|^M!/iu.test(comment)) return 'holds a comment that some databases run'
  if (comment.includes('/*')) return 'holds a comment inside a comment'
  return end + 2
}

type Found = { readonly token: SqlToken; readonly end: number }

function tokenAt(text: string, at: number, dialect: SqlDialect): Found | string {
  const first = text[at] ?? ''
  const quote = quoteOf(first, dialect)
  if (quote !== null) return quoted(text, at, quote)
  const sticky = (pattern: RegExp): string => pattern.exec(text.slice(at, at + 256))?.[0] ?? ''
  const word = sticky(/^[A-Za-z_][A-Za-z0-9_]*/u)
  if (word !== '') {
    if (word.length > 128) return 'holds a name that is too long'
    if (text[at + word.length] === '$') return 'holds a name with a dollar sign'
    if (/^u$/iu.test(word) && /^&["']/u.test(text.slice(at + 1, at + 3))) return 'holds Unicode escapes in quotes'
    return { token: { kind: 'word', text: word, word: word.toLowerCase() }, end: at + word.length }
  }
  if (/[0-9]/u.test(first) || (first === '.' && /[0-9]/u.test(text[at + 1] ?? ''))) {
    const number = sticky(/^(?:0x[0-9A-Fa-f]+|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/u)
    if (/[A-Za-z0-9_.$]/u.test(text[at + number.length] ?? '')) return 'holds a number with something behind it'
    return { token: { kind: 'value', text: '', word: '' }, end: at + number.length }
  }
  const parameter = parameterAt(text, at, dialect)
  if (typeof parameter === 'string') return parameter
  if (parameter > at) return { token: { kind: 'value', text: '', word: '' }, end: parameter }
  const known = dialect === 'postgresql' ? '()[],.;:+-*/<>=~!@#%^&|?' : '(),.;:+-*/<>=~!@%^&|?'
  if (!known.includes(first)) return 'holds a character that is not read outside of quotes'
  if (text.startsWith(':=', at)) return 'sets a variable inside an expression'
  return { token: { kind: 'symbol', text: first, word: '' }, end: at + 1 }
}

/** Where a parameter with a number or a name that begins here ends; `at` where none does. */
function parameterAt(text: string, at: number, dialect: SqlDialect): number | string {
  const [numbered] = /^\$[0-9]+/u.exec(text.slice(at, at + 256)) ?? []
  const [named] = /^[:@][A-Za-z_][A-Za-z0-9_]*/u.exec(text.slice(at, at + 256)) ?? []
  // PostgreSQL has an operator "@", and "::" before a type.
  const isNamed = named !== undefined && text[at - 1] !== ':' && !(named.startsWith('@') && dialect === 'postgresql')
  if (numbered === undefined && !isNamed) return at
  if (isNamed && named.startsWith(':') && dialect !== 'sqlite')
    return 'holds a named parameter, which this database does not know'
  const end = at + (numbered ?? named ?? '').length
  // SQLite takes what is in brackets behind a parameter for a part of its name, quotes included.
  if (end - at > 128 || /[A-Za-z0-9_$(:]/u.test(text[end] ?? '')) return 'holds a parameter with something behind it'
  return end
}

interface Quote {
  readonly closes: string
  readonly kind: 'name' | 'value'
}

function quoteOf(first: string, dialect: SqlDialect): Quote | null {
  if (first === "'") return { closes: "'", kind: 'value' }
  // MySQL takes it for a string or a name, by its settings: a value cannot stand where a table is named.
  if (first === '"') return { closes: '"', kind: dialect === 'mysql' ? 'value' : 'name' }
  if (first === '`' && dialect !== 'postgresql') return { closes: '`', kind: 'name' }
  return first === '[' && dialect === 'sqlite' ? { closes: ']', kind: 'name' } : null
}

function quoted(text: string, at: number, { closes, kind }: Quote): Found | string {
  for (let end = at + 1; ; end += 1) {
    end = text.indexOf(closes, end)
    if (end === -1) return 'holds a quote that does not end'
    if (text[end - 1] === '\\') return 'holds a backslash before a quote'
    if (closes !== ']' && text[end + 1] === closes) {
      end += 1
      continue
    }
    const inner = text.slice(at + 1, end)
    const name = kind === 'value' ? '' : inner.replaceAll(closes + closes, closes)
    if (name.length > 128) return 'holds a name that is too long'
    if (/[.*]/u.test(name)) return 'holds a name with a point or a star in quotes'
    return { token: { kind, text: name, word: '' }, end: end + 1 }
  }
}
