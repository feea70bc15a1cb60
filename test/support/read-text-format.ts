/** A message as it was read: each field with all its values in order. */
export interface ReadMessage {
  readonly [field: string]: readonly (string | ReadMessage)[]
}

/**
 * Reads the text format of protocol buffers, as far as configurations use it: `name: value` and `name { ... }`. Strings
 * come back without quotes and with their octal escapes undone; numbers, booleans and enumerations as they are written.
 */
export function readTextFormat(text: string): ReadMessage {
  const tokens = text.match(/"(?:[^"\\\n]|\\.)*"|[\w.-]+|[:{}]|\S/g) ?? []
  let at = 0
  const message = (isInner: boolean): ReadMessage => {
    const fields: { [field: string]: (string | ReadMessage)[] } = {}
    for (;;) {
      const name = tokens[at]
      if (name === undefined || name === '}') {
        if (isInner === (name === undefined)) throw new Error('a brace is missing or too many')
        at += 1
        return fields
      }
      if (!/^\w+$/.test(name)) throw new Error(`${name} is no name of a field`)
      const mark = tokens[at + 1]
      at += 2
      if (mark === '{') (fields[name] ??= []).push(message(true))
      else if (mark === ':') (fields[name] ??= []).push(scalar(tokens[at++] ?? ''))
      else throw new Error(`expected a value of ${name}`)
    }
  }
  return message(false)
}

function scalar(token: string): string {
  if (!token.startsWith('"')) {
    if (!/^[\w.-]+$/.test(token)) throw new Error(`${token} is no value`)
    return token
  }
  const bytes: number[] = []
  const body = token.slice(1, -1)
  for (let index = 0; index < body.length; index += 1) {
    if (body[index] === '\\') {
      bytes.push(Number.parseInt(body.slice(index + 1, index + 4), 8))
      index += 3
    } else bytes.push(body.charCodeAt(index))
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes))
}
