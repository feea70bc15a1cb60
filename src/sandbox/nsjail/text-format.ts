/** A message of protocol buffers: its fields in order. A list stands for a repeated field; `undefined` is left out. */
export interface Message {
  readonly [field: string]: Value | readonly Value[] | undefined
}

/** A name of an enumeration, which is written bare. */
export interface EnumName {
  readonly enumName: string
}

type Value = string | number | boolean | EnumName | Message

/**
 * Writes a message in the text format of protocol buffers. Strings may hold anything but a null character: every byte
 * that is not plain is written as an octal escape, so that no string can end early and become a field.
 * @throws Error for a null character, at which the reader's C strings would end, and for a number that is no whole one
 */
export function textFormat(message: Message, indent = ''): string {
  return Object.entries(message)
    .flatMap(([field, value]) => values(value).map((each) => `${indent}${field}${written(each, indent)}\n`))
    .join('')
}

function values(value: Value | readonly Value[] | undefined): readonly Value[] {
  if (value === undefined) return []
  return isList(value) ? value : [value]
}

function isList(value: Value | readonly Value[]): value is readonly Value[] {
  return Array.isArray(value)
}

function written(value: Value, indent: string): string {
  if (typeof value === 'string') return `: ${quoted(value)}`
  if (typeof value === 'boolean') return `: ${String(value)}`
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Error(`${String(value)} is no whole number`)
    return `: ${String(value)}`
  }
  if (isEnumName(value)) return `: ${value.enumName}`
  return ` {\n${textFormat(value, `${indent}  `)}${indent}}`
}

function isEnumName(value: EnumName | Message): value is EnumName {
  return typeof value.enumName === 'string'
}

function quoted(text: string): string {
  if (text.includes('\0')) throw new Error('a null character cannot be passed to nsjail')
  const plain = /[\w ./:,;=+@%^~<>()[\]{}|&!?*$#-]/
  const bytes = [...Buffer.from(text, 'utf8')].map((byte) => {
    const character = String.fromCharCode(byte)
    return byte < 0x7f && plain.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return `"${bytes.join('')}"`
}
