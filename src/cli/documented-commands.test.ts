import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { createProgram } from './program.ts'

const root = join(import.meta.dirname, '../..')
const pages = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'examples/README.md',
  // That page is made from the program itself.
  ...readdirSync(join(root, 'docs')).flatMap((name) =>
    name.endsWith('.md') && name !== 'cli.md' ? [`docs/${name}`] : [],
  ),
]

/** A command line of a page. One inside of a sentence may leave out what it is about. */
interface Shown {
  readonly line: string
  readonly isWhole: boolean
}

function shownIn(text: string): Shown[] {
  const blocks = [...text.matchAll(/^```(?:console|sh)?\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block.replaceAll('\\\n', ' ').split('\n'),
  )
  const inline = [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
  const commands = (lines: readonly string[], isWhole: boolean): Shown[] =>
    lines.flatMap((line) => {
      const found = /^\s*(?:\$ )?(?:npx )?mcpworks +(.+)$/.exec(line)?.[1]
      return found === undefined ? [] : [{ line: found, isWhole }]
    })
  return [...commands(blocks, true), ...commands(inline, false)]
}

/** Words up to a comment, an explanation in a column beside it, or another command. */
function wordsOf(line: string): string[] {
  const words: string[] = []
  for (const [word] of line.matchAll(/ {2,}|(?:"[^"]*"|'[^']*'|[^\s"'])+/g)) {
    if (/^ {2}|^#|^[|>&;]|^<$/.test(word)) break
    words.push(word.replaceAll(/["'[\]]/g, ''))
  }
  return words
}

/** What is wrong with a command line, as the program itself would say; `null` for nothing. */
function problemOf(program: Command, { line, isWhole }: Shown): string | null {
  const words = wordsOf(line)
  let command = program
  for (;;) {
    const { operands, unknown } = command.parseOptions(words)
    const [name] = operands
    const next = command.commands.find((one) => one.name() === name || one.aliases().includes(name ?? ''))
    if (next === undefined) {
      const everywhere = ['--help', ...program.options.map(({ long }) => long)]
      const wrong = unknown.find((word) => word.startsWith('-') && !everywhere.includes(word))
      if (wrong !== undefined) return `${command.name()} has no option ${wrong}`
      if (unknown.length > 0) return null
      const wanted = command.registeredArguments
      if (wanted.length === 0 && command.commands.length > 0 && (name !== undefined || isWhole))
        return `${command.name()} has no ${name ?? 'action'}`
      if (operands.length > wanted.length && wanted.at(-1)?.variadic !== true) return `too many: ${operands.join(' ')}`
      if (isWhole && operands.length < wanted.filter(({ required }) => required).length) return 'too few'
      return null
    }
    words.splice(words.indexOf(next.name()), 1)
    command = next
  }
}

describe('commands in the documentation', () => {
  const program = createProgram('0', {}, '/')

  it.each(pages)('%s shows only commands and options that there are', (page) => {
    const shown = shownIn(readFileSync(join(root, page), 'utf8'))
    const wrong = shown.flatMap((one) => {
      const problem = problemOf(program, one)
      return problem === null ? [] : [`${one.line}: ${problem}`]
    })
    expect(wrong).toEqual([])
  })

  it.each([
    ['audit why CALL', 'audit has no why'],
    ['policy explain --agnet analyst', 'explain has no option --agnet'],
    ['agent add', 'too few'],
    ['key create analyst more', 'too many: analyst more'],
    ['up --port 1 | tee log', null],
    ['user add anna --role owner    shows a link', null],
  ])('%s: %s', (line, problem) => {
    expect(problemOf(program, { line, isWhole: true })).toBe(problem)
  })
})
