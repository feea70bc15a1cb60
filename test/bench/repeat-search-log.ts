import type { DatabaseSync } from 'node:sqlite'
import { blockWidth } from '../../src/storage/search/position-set.ts'
import { beganMs, callsOfRun, fold, openFast, runOf, stepMs, templateRecords } from './search-log-fixture.ts'

const templateBlocks = templateRecords / blockWidth
const templateRuns = templateRecords / 2 / callsOfRun
const templateMs = templateRecords * stepMs
const spansOfTemplate = templateRecords / 64

/** Makes a log `copies` times as long, with calls, runs and times of its own for each copy. */
export function repeatLog(path: string, copies: number): void {
  const database = openFast(path)
  // What the writer knows as numbers stands in the texts: the call, the run and the record's place in its id.
  const call = (number: string): string => `'01900000-0000-7000-8000-' || printf('%012x', ${number})`
  const run = (number: string): string => `'run-' || printf('%09d', (${number}) / ${callsOfRun})`
  const insert = database.prepare(
    `INSERT INTO records (seq, log, idx, id, time_ms, kind, call, principal, leaf_hash, json)
     SELECT seq + ?1, log, idx + ?1, substr(id, 1, 24) || printf('%012x', seq + ?1), time_ms + ?1 * ${stepMs}, kind,
       ${call('(seq + ?1) / 2')}, principal, leaf_hash,
       replace(replace(json, call, ${call('(seq + ?1) / 2')}), ${run('seq / 2')}, ${run('(seq + ?1) / 2')})
     FROM records WHERE seq < ${templateRecords} ORDER BY seq`,
  )
  for (let copy = 1; copy < copies; copy++) insert.run(copy * templateRecords)
  fold(database)
}

/** Makes the index of the log `copies` times as long: what following the longer log would have made of it. */
export function repeatIndex(database: DatabaseSync, copies: number, numberOf: (term: string) => number): void {
  database.exec('PRAGMA synchronous = OFF')
  database.exec('PRAGMA cache_size = -400000')
  const runs = Array.from({ length: templateRuns }, (_, run) => runTerm(run * callsOfRun))
  database.exec('CREATE TEMP TABLE runs (term INTEGER PRIMARY KEY, run INTEGER)')
  const insertRun = database.prepare('INSERT INTO runs VALUES (?, ?)')
  for (const [run, term] of runs.entries()) insertRun.run(numberOf(term), run)
  const ofRuns = database
    .prepare('SELECT run, block, docs FROM search_postings JOIN runs USING (term) WHERE log = 1')
    .all() as unknown as { run: number; block: number; docs: Uint8Array }[]
  database.exec(
    'CREATE TEMP TABLE template AS SELECT term, block, docs FROM search_postings WHERE log = 1 AND term NOT IN (SELECT term FROM runs)',
  )
  const insertPosting = database.prepare('INSERT INTO search_postings (log, term, block, docs) VALUES (1, ?, ?, ?)')
  // In the order of the key, so that the tree grows from left to right.
  database.exec('BEGIN')
  database.exec('DELETE FROM search_postings')
  database
    .prepare(
      `WITH RECURSIVE copy (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM copy WHERE number + 1 < ?)
       INSERT INTO search_postings (log, term, block, docs)
       SELECT 1, term, block + number * ${templateBlocks}, docs FROM template CROSS JOIN copy ORDER BY term, block + number * ${templateBlocks}`,
    )
    .run(copies)
  for (let copy = 0; copy < copies; copy++)
    for (const { run, block, docs } of ofRuns)
      insertPosting.run(
        numberOf(runTerm((run + copy * templateRuns) * callsOfRun)),
        block + copy * templateBlocks,
        docs,
      )
  for (let copy = 1; copy < copies; copy++) {
    database
      .prepare(
        'INSERT INTO search_spans SELECT log, span + ?, low_ms + ?, high_ms + ? FROM search_spans WHERE high_ms < ?',
      )
      .run(copy * spansOfTemplate, copy * templateMs, copy * templateMs, beganMs + templateMs)
    database
      .prepare(
        `INSERT INTO search_blocks SELECT log, block + ?, part, terms FROM search_blocks WHERE block < ${templateBlocks}`,
      )
      .run(copy * templateBlocks)
  }
  database.exec('COMMIT')
}

function runTerm(call: number): string {
  const run = runOf(call)
  return `run:${run.length}:${run}`
}
