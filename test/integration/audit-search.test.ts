import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { searchHandlers } from '../../src/app/management/search-handlers.ts'
import { operations } from '../../src/contract/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { FollowedIndex } from '../../src/storage/search/followed-index.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { queryPlans } from '../support/query-plans.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const everything = { namespace: 'demo', fields: {}, call: null, text: '', fromMs: null, toMs: null, reads: false }
const newest = { ...everything, before: null, limit: 50 }

interface Written {
  readonly dataDirectory: string
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
}

/** A data directory whose log has ten allowed and ten denied calls, and whose index is whole. Nothing is open. */
async function write(dataDirectory: string): Promise<Written> {
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const allowed: string[] = []
  const denied: string[] = []
  for (let call = 0; call < 10; call++) {
    const yes = decisionDraft()
    const no = decisionDraft({ effect: 'deny' })
    await storage.decisionLog.append(yes)
    await storage.decisionLog.append(outcomeDraft(yes))
    await storage.decisionLog.append(no)
    allowed.unshift(yes.call)
    denied.unshift(no.call)
  }
  await storage.close()
  const index = indexAt(dataDirectory)
  expect((await index.search(newest)).hits).toHaveLength(20)
  await index.close()
  return { dataDirectory, allowed, denied }
}

/** What the thread does, in this one. */
function indexAt(dataDirectory: string): FollowedIndex {
  return new FollowedIndex({
    log: join(dataDirectory, 'audit.db'),
    searchPath: join(dataDirectory, 'search.db'),
  })
}

function openIndex(dataDirectory: string): FollowedIndex {
  const index = indexAt(dataDirectory)
  onTestFinished(() => index.close())
  return index
}

const kept = keptDirectory()
let original: Written
let other: Written
beforeAll(async () => {
  original = await write(join(kept, 'one'))
  other = await write(join(kept, 'other'))
})

/** A copy for one test. */
function written(): Written {
  const dataDirectory = join(temporaryDirectory(), 'data')
  cpSync(original.dataDirectory, dataDirectory, { recursive: true })
  return { ...original, dataDirectory }
}

async function found(index: FollowedIndex, effect: string): Promise<string[]> {
  const { hits } = await index.search({ ...newest, fields: { effect } })
  return hits.map(({ call }) => call)
}

/** Everything that lies beside the log for searching it. */
function indexFiles(dataDirectory: string): string[] {
  return ['search.db', 'search.db-wal', 'search.db-shm'].map((name) => join(dataDirectory, name))
}

describe('the index of the log', () => {
  it.each<[string, (where: Written) => void]>([
    ['nobody touched', () => {}],
    ['was removed', ({ dataDirectory }) => indexFiles(dataDirectory).forEach((path) => rmSync(path, { force: true }))],
    ['is no database', ({ dataDirectory }) => writeFileSync(join(dataDirectory, 'search.db'), 'x'.repeat(9000))],
    [
      'is damaged in its middle',
      ({ dataDirectory }) => {
        const path = join(dataDirectory, 'search.db')
        const bytes = readFileSync(path)
        bytes.fill(0xa5, 4096)
        writeFileSync(path, bytes)
      },
    ],
    [
      'is of another version',
      ({ dataDirectory }) => {
        const database = new DatabaseSync(join(dataDirectory, 'search.db'))
        database.exec("UPDATE search_meta SET value = 'other' WHERE name = 'version'; DELETE FROM search_postings")
        database.close()
      },
    ],
    [
      'belongs to another log',
      ({ dataDirectory }) => {
        writeFileSync(join(dataDirectory, 'search.db'), readFileSync(join(other.dataDirectory, 'search.db')))
      },
    ],
  ])('answers all that is in the log where it %s', async (_what, change) => {
    const where = written()
    change(where)
    const index = openIndex(where.dataDirectory)
    expect(await found(index, 'allow')).toEqual(where.allowed)
    expect(await found(index, 'deny')).toEqual(where.denied)
  })

  it('shows nothing that is not so, whatever somebody wrote into it', async () => {
    const where = written()
    const database = new DatabaseSync(join(where.dataDirectory, 'search.db'))
    // Every term at every position, also far beyond the end of the log.
    database.prepare('UPDATE search_postings SET docs = ?').run(Buffer.alloc(512, 0xff))
    database.exec('INSERT INTO search_postings SELECT log, term, 9, docs FROM search_postings')
    database.exec("INSERT INTO search_blocks VALUES (1, 9, 0, x'')")
    database.close()
    const index = openIndex(where.dataDirectory)
    expect(await found(index, 'allow')).toEqual([])
    // Looking for the few among what is forged takes more than one page may, and says so.
    const page = await index.search({ ...newest, fields: { effect: 'deny' } })
    expect(page).toMatchObject({ hits: [], stopped: true, next: expect.any(Number) })
    const denied: string[] = []
    for (let before: number | null = page.next; before !== null;) {
      const next = await index.search({ ...newest, fields: { effect: 'deny' }, before })
      denied.push(...next.hits.map(({ call }) => call))
      before = next.next
    }
    expect(denied).toEqual(where.denied)
  })

  it('finds nothing of a table by reading all of it, whatever is asked for', async () => {
    const { dataDirectory, allowed } = written()
    const paths = [join(dataDirectory, 'audit.db'), join(dataDirectory, 'search.db')] as const
    const plans = await queryPlans(...paths, [
      newest,
      { ...newest, fields: { agent: 'demo/analyst', effect: 'allow', rule: 'x' }, text: 'two words' },
      { ...newest, fromMs: 1, toMs: 4_000_000_000_000, before: 5 },
      { ...newest, call: allowed[0] ?? '' },
    ])
    expect(plans.length).toBeGreaterThan(7)
    for (const plan of plans) expect(plan).not.toMatch(/\n {2}SCAN|TEMP B-TREE/)
    // What such a plan looks like.
    const database = new DatabaseSync(paths[1], { readOnly: true })
    const [scan] = database.prepare('EXPLAIN QUERY PLAN SELECT * FROM search_postings WHERE block = 1').all()
    database.close()
    expect(scan?.['detail']).toMatch(/^SCAN/)
  })
})

describe('the operations on what was found', () => {
  it('draw the calls of a run as a tree, and those around one call', async () => {
    const storage = await openStorage({ dataDirectory: join(temporaryDirectory(), 'data'), clock: systemClock })
    onTestFinished(() => storage.close())
    const write = async (run: string, parentCall: string | null): Promise<string> => {
      const draft = { ...decisionDraft(), run, parentCall }
      await storage.decisionLog.append(draft)
      return draft.call
    }
    const first = await write('run-a', null)
    const inner = await write('run-a', first)
    const deep = await write('run-a', inner)
    const second = await write('run-a', null)
    await write('run-b', null)
    const { 'audit.tree': tree } = searchHandlers(storage.logSearch)
    const asked = (run: string) => tree({ namespace: 'demo', run }, {} as never, new AbortController().signal)
    const below = { call: first, calls: [{ call: inner, calls: [{ call: deep, calls: [] }] }] }
    expect(await asked('run-a')).toMatchObject({
      run: 'run-a',
      calls: [below, { call: second, calls: [] }],
      count: 4,
      more: false,
      behind: 0,
    })
    expect(await asked(deep)).toMatchObject({ run: 'run-a', calls: [below], count: 3 })
    await expect(asked('run-nowhere')).rejects.toMatchObject({ code: 'unknown_object' })
  })

  it('take names, moments and words as they are written, and refuse two principals', async () => {
    const asked: unknown[] = []
    const { 'audit.search': search } = searchHandlers({
      async search(query) {
        asked.push(query)
        return { hits: [], next: null, stopped: false, index: { behind: 0, indexed: 0 } }
      },
    })
    const run = (input: object) =>
      search(
        operations['audit.search'].input.parse({ namespace: 'demo', ...input }),
        {} as never,
        new AbortController().signal,
      )
    await run({ agent: 'ann', since: '2026-11-21T10:00:00+01:00', text: 'too large', limit: '7', reads: 'true' })
    expect(asked).toEqual([
      {
        ...everything,
        fields: { agent: 'demo/ann' },
        text: 'too large',
        fromMs: Date.parse('2026-11-21T09:00:00Z'),
        reads: true,
        before: null,
        limit: 7,
      },
    ])
    await expect(run({ agent: 'ann', principal: 'bert' })).rejects.toMatchObject({ code: 'invalid_request' })
    for (const bad of [{ since: 'yesterday' }, { limit: 201 }, { before: -1 }, { effect: 'maybe' }])
      expect(operations['audit.search'].input.safeParse({ namespace: 'demo', ...bad }).success).toBe(false)
  })
})
