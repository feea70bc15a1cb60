import { expect } from 'vitest'

/** A command as a page shows it, with the lines that it prints. */
export interface ShownCommand {
  readonly command: string
  readonly output: readonly string[]
}

/** The commands of the `console` blocks of a page, in order. Each begins with `$ `. */
export function shownCommands(page: string): ShownCommand[] {
  return [...page.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [command = '', ...output] = text.trimEnd().split('\n')
        return { command, output }
      }),
  )
}

/** Expects that a command printed what the page shows. `…` stands for anything, alone on a line for all the rest. */
export function expectShown(actual: readonly string[], shown: readonly string[], command: string): void {
  for (const [index, line] of shown.entries()) {
    if (line === '…') return
    expect(actual[index] ?? '(no such line)', command).toMatch(patternOf(line))
  }
  expect(actual.slice(shown.length), command).toEqual([])
}

/** A pattern for a shown line: ids, times, counts and ports differ from run to run; every other character counts. */
function patternOf(line: string): RegExp {
  const variable =
    /(…|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|127\.0\.0\.1:\d+|\d+ (?:records|checkpoints|tiles|bodies)|index \d+|~\/\.mcpworks)/
  const source = line.split(variable).map((part, position) => {
    if (position % 2 === 0) return RegExp.escape(part)
    if (part === '…') return '.*'
    if (part.startsWith('127')) return String.raw`127\.0\.0\.1:\d+`
    if (part.startsWith('~')) return String.raw`\S+`
    if (part.startsWith('index')) return String.raw`index \d+`
    return / /.test(part) ? `\\d+ ${part.split(' ')[1] ?? ''}` : '[0-9a-f-]{36}'
  })
  return new RegExp(`^${source.join('')}$`)
}
