/** Where commands write. */
export interface Terminal {
  /** True when the output is for scripts. */
  readonly json: boolean
  /** The result: one JSON document with `--json`, the text otherwise. */
  result(value: unknown, text: string): void
  /** A line of a stream of results, such as `audit tail`. */
  line(value: unknown, text: string): void
  /** For people, on stderr; nothing with `--json`. */
  note(text: string): void
}

/** Writes to the process's own streams. */
export function createTerminal(json: boolean): Terminal {
  return {
    json,
    result: (value, text) => console.log(json ? JSON.stringify(value, null, 2) : text),
    line: (value, text) => console.log(json ? JSON.stringify(value) : text),
    note(text) {
      if (!json) console.error(text)
    },
  }
}

/** Columns aligned by spaces, with a header line. Control characters are replaced: cells can come from anybody. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map(printable))
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The text with control characters replaced, so that nothing that was recorded can drive the terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this takes out
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}
