/**
 * The checkpoints of a file to which they were added one a line, each a JSON string (`checkpoints.jsonl`). A line that
 * was cut off when the machine stopped is passed over where the whole of it follows; anything else that is no JSON
 * string is given as it stands, so that who looks for a signature in it finds none.
 */
export function readKeptCheckpoints(text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.flatMap((line, at) => {
    const note = parseString(line)
    if (note !== null) return [note]
    const isCut = lines.slice(at + 1).some((later) => later.startsWith(line))
    return isCut ? [] : [line]
  })
}

function parseString(line: string): string | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'string' ? value : null
  } catch {
    // Not JSON: not a line of such a file.
    return null
  }
}
