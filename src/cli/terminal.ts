import { printable, printableJson, printableLine } from './printable.ts'

/** Where commands write. Whatever text they are given, it cannot drive the terminal. */
export interface Terminal {
  /** True when the output is for scripts. */
  readonly json: boolean
  /** The result: one JSON document with `--json`, the text otherwise. */
  result(value: unknown, text: string): void
  /** A piece of a stream of results, such as `audit tail`; with `--json` one line. */
  line(value: unknown, text: string): void
  /** For people, on stderr; nothing with `--json`. */
  note(text: string): void
}

/** Writes to the process's own streams. */
export function createTerminal(json: boolean): Terminal {
  return {
    json,
    result: (value, text) => console.log(json ? printableJson(value, 2) : printable(text)),
    line: (value, text) => console.log(json ? printableJson(value) : printable(text)),
    note(text) {
      if (!json) console.error(printable(text))
    },
  }
}

/** Columns aligned by spaces, with a header line. A cell stays one line: it can come from anybody. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map(printableLine))
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
