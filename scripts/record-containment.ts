import { readFileSync, writeFileSync } from 'node:fs'

interface Check {
  readonly id: string
  readonly group: string
  readonly verdict: string
  readonly ok: boolean
  readonly note: string
}

interface Engine {
  readonly name: string
  readonly version: string
  readonly mode: string
  readonly checks: readonly Check[]
}

/**
 * Takes what `mcpworks sandbox check --json` printed (files named on the command line) into docs/containment.json, from
 * which docs/containment.md is made: engine by engine, the last one counts.
 */
const path = 'docs/containment.json'
const known = new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8')) as object))
for (const file of process.argv.slice(2)) {
  const { engines } = JSON.parse(readFileSync(file, 'utf8')) as { engines: readonly Engine[] }
  for (const { name, version, mode, checks } of engines) {
    const wrong = checks.filter((check) => !check.ok)
    if (wrong.length > 0) throw new Error(`${name} has unexpected results: ${wrong.map(({ id }) => id).join(' ')}`)
    const ids = (verdict: string): string[] => checks.filter((check) => check.verdict === verdict).map(({ id }) => id)
    const open = Object.fromEntries(
      checks
        .filter((check) => check.verdict === 'open')
        .map((check) => [check.id, check.note.replace('known exception: ', '')]),
    )
    known.set(`${name} ${mode}`, {
      version,
      total: checks.length,
      open,
      emulated: ids('emulated'),
      notApplicable: ids('not applicable'),
    })
  }
}
const sorted = [...known].toSorted(([one], [other]) => one.localeCompare(other))
writeFileSync(path, `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`)
