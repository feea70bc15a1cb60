import { expect, it } from 'vitest'
import { startSentence } from './start-sentence.ts'

const started = {
  type: 'started',
  version: '1.2.0',
  node: 'v24.1.0',
  system: 'linux 6.1 x64',
  database: 'sqlite',
  sandbox: { engine: 'bubblewrap', version: '0.8.0' },
  before: null,
  abandoned: 0,
}
const first = 'version 1.2.0 started on linux 6.1 x64 (Node v24.1.0, sqlite, bubblewrap 0.8.0)'

it.each([
  [started, first],
  [{ ...started, before: { ended: 'clean', record: 7 } }, `${first}; the run before ended in good order (record 7)`],
  [
    { ...started, before: { ended: 'broken', record: 7 }, abandoned: 2 },
    `${first}; the run before BROKE OFF (record 7); calls left without an outcome: 2`,
  ],
  [{ type: 'stopped', start: 's' }, 'the server stopped in good order'],
  [{ type: 'another' }, null],
])('says what runs, and how the run before ended (%#)', (event, sentence) => {
  expect(startSentence(event)).toBe(sentence)
})
