import { adapterFile } from './adapter/adapt-python.ts'

const maximumCharacters = 4000

/**
 * An exception for people and agents: what it says, then where in the function's own files. Frames of the platform's
 * adapter are left out. The sandbox gives traces that name only the function's files, by their path in the function.
 */
export function readableTrace(exception: {
  readonly kind: string
  readonly message: string
  readonly trace: string
}): string {
  const headline = `${exception.kind}: ${exception.message}`.trimEnd()
  const trace = withoutAdapterFrames(exception.trace.trimEnd())
  const text = trace.includes(headline) ? trace : trace === '' ? headline : `${headline}\n${trace}`
  // The end of a trace is the part that names the cause.
  return text.length <= maximumCharacters ? text : `...${text.slice(-maximumCharacters)}`
}

/** A text with a Python trace in it, without the frames of the platform's adapter. */
export function withoutAdapterFrames(text: string): string {
  const kept: string[] = []
  let skipping = false
  for (const line of text.split('\n')) {
    const isFrame = /^\s*File "/.test(line)
    // Source lines and markers below a frame are indented deeper than the frame.
    if (isFrame) skipping = line.includes(`"${adapterFile}"`)
    else if (!/^\s{4}/.test(line)) skipping = false
    if (!skipping) kept.push(line)
  }
  return kept.join('\n')
}
