import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LogTree, leafHash, openCheckpoint, parseVerifierKey } from '../../src/audit/index.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { logCalls } from '../support/logged-calls.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

let app: TestApp
let operatorKey: string

beforeAll(async () => {
  const dataDirectory = await logCalls(keptDirectory(), 450)
  app = await startTestApp({ dataDirectory })
  operatorKey = readFileSync(join(dataDirectory, 'operator.key'), 'utf8').trim()
  await app.apply('main', { 'namespace.yaml': 'namespace: main\n' })
})
afterAll(() => app.close())

function get(path: string, key = operatorKey): Promise<Response> {
  return fetch(`${app.app.url}/api/v1/namespaces/main/log${path}`, { headers: { authorization: `Bearer ${key}` } })
}

async function newestTree(): Promise<{ period: string; origin: string; size: number }> {
  const { trees } = (await (await get('')).json()) as { trees: { period: string; origin: string; size: number }[] }
  const newest = trees.find(({ size }) => size > 256)
  if (newest === undefined) throw new Error('no tree of that size')
  return newest
}

describe('the signed trees over HTTP', () => {
  it('let a reader build the whole tree from tiles, and find the root that is signed', async () => {
    const { period } = await newestTree()
    const answer = await get(`/${period}/checkpoint`)
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    const note = await answer.text()
    const key = parseVerifierKey(await (await get(`/${period}/key`)).text())
    expect(key?.publicKey).toEqual(
      parseVerifierKey(readFileSync(join(app.dataDirectory, 'audit.pub'), 'utf8'))?.publicKey,
    )
    const checkpoint = key === null ? null : openCheckpoint(note, key)
    expect(checkpoint?.origin).toBe(key?.name)
    const size = checkpoint?.size ?? 0
    expect(size).toBeGreaterThan(512)

    const tree = new LogTree()
    for (let index = 0; tree.size < size; index++) {
      const width = Math.min(256, size - tree.size)
      const place = `${String(index).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`
      const tile = await get(`/${period}/tile/0/${place}`)
      expect([tile.status, tile.headers.get('cache-control')]).toEqual([200, 'private, max-age=31536000, immutable'])
      expect(tile.headers.get('vary')).toContain('Authorization')
      const bytes = Buffer.from(await tile.arrayBuffer())
      expect(bytes.length).toBe(width * 32)
      for (let at = 0; at < width; at++) tree.append(bytes.subarray(at * 32, (at + 1) * 32))
    }
    expect(Buffer.from(tree.root()).toString('hex')).toBe(Buffer.from(checkpoint?.root ?? []).toString('hex'))
    const upper = await get(`/${period}/tile/1/000.p/2`)
    expect(Buffer.from(await upper.arrayBuffer()).length).toBe(64)
  })

  it('are refused to an agent, by the same policy as the rest of the log', async () => {
    await app.manage('main', 'agent.add', { namespace: 'main', agent: 'reader', groups: [] })
    const key = await app.key('main', 'reader')
    const { period } = await newestTree()
    for (const path of ['', `/${period}/checkpoint`, `/${period}/key`, `/${period}/tile/0/000`])
      expect([path, (await get(path, key)).status]).toEqual([path, 403])
    expect((await fetch(`${app.app.url}/api/v1/namespaces/main/log/${period}/checkpoint`)).status).toBe(401)
  })

  it.each([
    ['tile/0/999', 404],
    ['tile/0/000.p/256', 404],
    ['tile/7/000', 404],
    ['tile/64/000', 400],
    ['tile/0/0', 400],
    ['tile/0/x000/000', 404],
    ['tile/entries/000', 400],
  ])('have nothing at %s (%i)', async (path, status) => {
    const { period } = await newestTree()
    expect((await get(`/${period}/${path}`)).status).toBe(status)
  })

  it('have nothing of a month in which nothing was written', async () => {
    expect((await get('/1999-01/checkpoint')).status).toBe(404)
    expect((await get('/1999-13/checkpoint')).status).toBe(400)
  })

  it('are the leaves of the records that export writes', async () => {
    const { period } = await newestTree()
    const [first] = await readRecords()
    const tile = Buffer.from(await (await get(`/${period}/tile/0/000`)).arrayBuffer())
    expect(tile.subarray(0, 32)).toEqual(leafHash(first ?? ''))
  })
})

async function readRecords(): Promise<string[]> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(join(app.dataDirectory, 'audit.db'), { readOnly: true })
  const rows = database
    .prepare("SELECT json FROM records JOIN logs USING (log) WHERE namespace = 'main' ORDER BY idx LIMIT 1")
    .all()
  database.close()
  return rows.map(({ json }) => String(json))
}
