/** A place in a text. Both count from 1; the column counts Unicode code points. */
export interface SourcePosition {
  readonly line: number
  readonly column: number
}

/** The position of a UTF-16 offset in a text. Past the end it is the end. Lines end at `\n`. */
export function positionAt(text: string, offset: number): SourcePosition {
  let line = 1
  let lineStart = 0
  for (let next = text.indexOf('\n'); next !== -1 && next < offset; next = text.indexOf('\n', next + 1)) {
    line += 1
    lineStart = next + 1
  }
  return { line, column: Array.from(text.slice(lineStart, offset)).length + 1 }
}

/** The UTF-16 offset of a UTF-8 byte offset, which is how Cedar reports places. Past the end it is the end. */
export function utf16Offset(text: string, byteOffset: number): number {
  let bytes = 0
  let offset = 0
  for (const character of text) {
    if (bytes >= byteOffset) break
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    offset += character.length
  }
  return offset
}
