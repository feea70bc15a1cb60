import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../test/support/temporary-directory.ts'

const script = fileURLToPath(new URL('print-failures.mjs', import.meta.url))

/** What is printed of the output of a step, line by line. */
function printed(output: string, limit = 42): readonly string[] {
  const file = join(temporaryDirectory(), 'output')
  writeFileSync(file, output)
  const { stdout, status } = spawnSync(process.execPath, [script, file, String(limit)], { encoding: 'utf8' })
  expect(status).toBe(0)
  return stdout.trimEnd().split('\n')
}

const twoTests = `
 \u001b[32m✓\u001b[39m src/right.test.ts (2 tests)

⎯⎯⎯⎯⎯⎯ Failed Tests 2 ⎯⎯⎯⎯⎯⎯⎯

\u001b[41m\u001b[1m FAIL \u001b[22m\u001b[49m  unit  src/wrong.test.ts > sums > adds
\u001b[31mAssertionError\u001b[39m: expected 2 to be 3 // Object.is equality

- Expected
+ Received

- 3
+ 2

 ❯ src/wrong.test.ts:4:17
      2|
      3| it('adds', () => {
       |                 ^

⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯[1/2]⎯

 FAIL   unit  src/wrong.test.ts > sums > ends
TestTimeoutError: Test timed out in 500ms.
 ❯ src/wrong.test.ts:9:3
⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯[2/2]⎯

⎯⎯⎯⎯ Unhandled Rejection ⎯⎯⎯⎯⎯
Error: nobody looks
 ❯ src/wrong.test.ts:12:1

 Test Files  1 failed | 1 passed (2)
      Tests  2 failed | 2 passed (4)
`

it('gives the name, the message and the place of every failed test and of an error that none caught', () => {
  expect(printed(twoTests)).toEqual([
    ' FAIL   unit  src/wrong.test.ts > sums > adds',
    'AssertionError: expected 2 to be 3 // Object.is equality',
    '- Expected',
    '+ Received',
    '- 3',
    '+ 2',
    ' ❯ src/wrong.test.ts:4:17',
    ' FAIL   unit  src/wrong.test.ts > sums > ends',
    'TestTimeoutError: Test timed out in 500ms.',
    ' ❯ src/wrong.test.ts:9:3',
    '⎯⎯⎯⎯ Unhandled Rejection ⎯⎯⎯⎯⎯',
    'Error: nobody looks',
    ' ❯ src/wrong.test.ts:12:1',
  ])
})

it('keeps to its lines: fewer for each, then a count of those beyond', () => {
  expect(printed(twoTests, 6)).toEqual([
    ' FAIL   unit  src/wrong.test.ts > sums > adds',
    'AssertionError: expected 2 to be 3 // Object.is equality',
    ' FAIL   unit  src/wrong.test.ts > sums > ends',
    'TestTimeoutError: Test timed out in 500ms.',
    '⎯⎯⎯⎯ Unhandled Rejection ⎯⎯⎯⎯⎯',
    'Error: nobody looks',
  ])
  expect(printed(twoTests, 3)).toEqual([
    ' FAIL   unit  src/wrong.test.ts > sums > adds',
    'AssertionError: expected 2 to be 3 // Object.is equality',
    '... and 2 more',
  ])
})

it('gives what a failed checker said, and nothing of those that passed', () => {
  const output =
    'ok     types            3.1 s\nFAILED lint             0.9 s\nsrc/a.ts:1:1: no\nok     format           0.4 s\n'
  expect(printed(`${output}check: 1 of 3 steps failed (lint) in 3.2 s\n`)).toEqual([
    'FAILED lint             0.9 s',
    'src/a.ts:1:1: no',
  ])
})

it('gives the failed checks of a report in JSON', () => {
  const check = (id: string, ok: boolean): object => ({ id, expected: 'ENOENT', got: 'text', ok, note: '' })
  const report = {
    ok: true,
    engines: [{ name: 'crun', checks: [check('files.one', true), check('files.two', false)] }],
  }
  expect(printed(JSON.stringify(report, null, 2)).map((line) => line.trim())).toEqual([
    '"id": "files.two",',
    '"expected": "ENOENT",',
    '"got": "text",',
    '"ok": false,',
    '"note": ""',
  ])
})

it('gives the last lines of a step that failed in another way', () => {
  expect(printed('one\ntwo\nthree\n', 2)).toEqual(['two', 'three'])
})
