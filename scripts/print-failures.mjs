/**
 * Prints what failed, out of the output of one step of `.ci/run`: each failed test by name with its message, each
 * failed checker, each failed check of a sandbox; the last lines where none of these is found. Plain JavaScript
 * without dependencies, because a step may have failed before there were any.
 *
 *     node scripts/print-failures.mjs OUTPUT-FILE LINES
 *
 * Prints at most LINES lines. With many failures each gets fewer of them, and those beyond are counted.
 */
import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

/** What a failure begins with: a test, an error that no test caught, a checker; and a check in a JSON report. */
const beginnings = [/^ FAIL {2}/, /^⎯+ Unhandled (Rejection|Exception|Error) ⎯/, /^FAILED /]
const failedCheck = /^\s*"ok": false/
/** What says no more about a failure: source text, a rule across the page, or how the checkers and tests ended. */
const endings = [/^\s*\d*\s*\|/, /^⎯+/, /^ok {4}/, /^check: /, /^\s+Test Files /]
const widest = 300

/** The failures in it, each a list of lines without colours and without blank lines. */
function failuresIn(output) {
  const failures = []
  let current = null
  const lines = stripVTControlCharacters(output).split('\n')
  lines.forEach((line, index) => {
    if (beginnings.some((beginning) => beginning.test(line))) failures.push((current = [line]))
    else if (failedCheck.test(line)) failures.push(objectAround(lines, index))
    else if (endings.some((ending) => ending.test(line))) current = null
    else if (line.trim() !== '') current?.push(line)
  })
  return failures
}

/** The lines of the JSON object, printed over several lines, that a line is in: up to where it nests or ends. */
function objectAround(lines, index) {
  const begin = lines.findLastIndex((line, at) => at < index && /[{}[\]],?$/.test(line))
  const end = lines.findIndex((line, at) => at > index && /[{}[\]],?$/.test(line))
  return lines.slice(begin + 1, end === -1 ? undefined : end)
}

/** What to print of them in so many lines: the first two of each are its name and its message. */
function shorten(failures, limit) {
  const shown = failures.length * 2 <= limit ? failures : failures.slice(0, Math.floor((limit - 1) / 2))
  const rest = failures.length - shown.length
  const lines = []
  shown.forEach((failure, index) => {
    const left = limit - Math.sign(rest) - lines.length
    lines.push(...failure.slice(0, Math.floor(left / (shown.length - index))))
  })
  return rest === 0 ? lines : [...lines, `... and ${rest} more`]
}

const [file, limit] = process.argv.slice(2)
const output = readFileSync(file, 'utf8')
const failures = failuresIn(output)
const lastLines = stripVTControlCharacters(output).trimEnd().split('\n').slice(-Number(limit))
for (const line of failures.length > 0 ? shorten(failures, Number(limit)) : lastLines) {
  console.log(line.slice(0, widest))
}
