import { createScanner, type JSONScanner, type Node } from 'jsonc-parser'
import type { JsonValue } from '../../kernel/index.ts'

// Of the parser's `SyntaxKind`, which is a const enum and so cannot be imported.
const commaToken = 5
const lineComment = 12
const blockComment = 13
const blank = 15

/**
 * Adds a member (with `key`) or an element to the end of an object or list of a parsed text. On lines of its own where
 * the others are; a comment that ends the last line stays there; nothing else is formatted anew.
 */
export function addItem(text: string, container: Node, key: string | null, value: JsonValue): string {
  const item = (indent: string): string =>
    `${key === null ? '' : `${JSON.stringify(key)}: `}${render(text, value, indent)}`
  const last = container.children?.at(-1)
  const close = container.offset + container.length - 1
  if (last === undefined) {
    const outer = indentAt(text, container.offset)
    const inner = text.slice(container.offset + 1, close)
    const kept = inner.trim() === '' ? '' : inner.trimEnd()
    const eol = endOfLine(text)
    return splice(
      text,
      container.offset + 1,
      close,
      `${kept}${eol}${outer}${unitOf(text)}${item(outer + unitOf(text))}${eol}${outer}`,
    )
  }
  const end = last.offset + last.length
  const comma = commaAfter(text, end)
  if (!text.slice(end, close).includes('\n')) {
    const compact = `${key === null ? '' : `${JSON.stringify(key)}: `}${JSON.stringify(value)}`
    return comma === null ? splice(text, end, end, `, ${compact}`) : splice(text, comma + 1, comma + 1, ` ${compact},`)
  }
  const indent = indentAt(text, last.offset)
  const after = endOfTrailingComments(text, comma === null ? end : comma + 1)
  const added = splice(text, after, after, `${endOfLine(text)}${indent}${item(indent)}${comma === null ? '' : ','}`)
  return comma === null ? splice(added, end, end, ',') : added
}

/** Takes a member or element away, with its comma and its lines. `item` is a child of `container`. */
export function removeItem(text: string, container: Node, item: Node): string {
  const items = container.children ?? []
  const index = items.indexOf(item)
  const end = item.offset + item.length
  const comma = commaAfter(text, end)
  const lineStart = text.lastIndexOf('\n', item.offset) + 1
  const isFirstOnLine = text.slice(lineStart, item.offset).trim() === ''
  const eolBefore = lineStart - (text[lineStart - 2] === '\r' ? 2 : 1)
  const start = isFirstOnLine && lineStart > 0 ? Math.max(eolBefore, 0) : item.offset
  const cut = splice(text, start, comma === null ? end : comma + 1, '')
  const previous = items[index - 1]
  if (comma !== null || previous === undefined) return tidied(cut, container)
  const before = commaAfter(text, previous.offset + previous.length)
  return before === null ? cut : splice(cut, before, before + 1, '')
}

/** Puts another value in place of one. */
export function replaceValue(text: string, node: Node, value: JsonValue): string {
  return splice(text, node.offset, node.offset + node.length, render(text, value, indentAt(text, node.offset)))
}

/** `\n`, or what the text has. */
export function endOfLine(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

/** An object with nothing but blanks left in it is written `{}`. */
function tidied(text: string, container: Node): string {
  const open = container.offset
  const close = text.slice(open + 1).search(/\S/) + open + 1
  return text[close] === '}' || text[close] === ']' ? splice(text, open + 1, close, '') : text
}

function render(text: string, value: JsonValue, indent: string): string {
  return JSON.stringify(value, null, unitOf(text)).replaceAll('\n', `${endOfLine(text)}${indent}`)
}

/** Place of the comma that follows, comments passed over; `null` where none does. */
function commaAfter(text: string, from: number): number | null {
  const scanner = createScanner(text, true)
  scanner.setPosition(from)
  return nextKind(scanner) === commaToken ? scanner.getTokenOffset() : null
}

/** Where the comments end that begin on the line of `from` and come directly after it. */
function endOfTrailingComments(text: string, from: number): number {
  const scanner = createScanner(text, false)
  scanner.setPosition(from)
  let end = from
  for (;;) {
    const kind = nextKind(scanner)
    if (kind === lineComment || kind === blockComment) {
      end = scanner.getTokenOffset() + scanner.getTokenLength()
    } else if (kind !== blank) return end
  }
}

function nextKind(scanner: JSONScanner): number {
  return scanner.scan()
}

function indentAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1
  return /^[ \t]*/.exec(text.slice(lineStart, offset))?.[0] ?? ''
}

/** One step of indentation, as the text has it. */
function unitOf(text: string): string {
  const first = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  '
  return first.startsWith('\t') ? '\t' : first.slice(0, 8)
}

function splice(text: string, start: number, end: number, inserted: string): string {
  return text.slice(0, start) + inserted + text.slice(end)
}
