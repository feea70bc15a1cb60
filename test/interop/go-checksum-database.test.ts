import { execFile, spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { exportLog } from '../../src/app/index.ts'
import { makeCallProof } from '../../src/audit/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { clockIn, logCalls, loggedPeriod } from '../support/logged-calls.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const directory = keptDirectory()
const bundle = join(directory, 'bundle')
/** A tree is a directory of its own, and what the Go tools read. */
const tree = join(bundle, loggedPeriod)
const program = join(directory, 'verify')
const proofs: string[] = []

/** The verifier's only libraries are the distribution's: nothing is fetched. */
const environment = {
  GOPATH: '/usr/share/gocode',
  GOCACHE: join(directory, 'cache'),
  GO111MODULE: 'off',
  GOTOOLCHAIN: 'local',
  GOPROXY: 'off',
  CGO_ENABLED: '0',
  PATH: '/usr/bin:/bin',
  HOME: directory,
}

beforeAll(async () => {
  await promisify(execFile)('/usr/bin/go', ['build', '-o', program, join(import.meta.dirname, 'verify.go')], {
    env: environment,
  })
  const dataDirectory = await logCalls(directory, 500)
  await exportLog(dataDirectory, 'main', bundle)
  await writeProofs(dataDirectory)
}, 240_000)

/** Some records with the proofs that `audit prove` gives of them. */
async function writeProofs(dataDirectory: string): Promise<void> {
  const storage = await openStorage({ dataDirectory, clock: clockIn(loggedPeriod) })
  for (const afterIndex of [0, 254, 700]) {
    const [stored] = await storage.decisionLog.read({ namespace: 'main', afterIndex, limit: 1 })
    const proof = stored === undefined ? null : await storage.decisionLog.prove(stored.id)
    const made = stored === undefined || proof === null ? null : makeCallProof(stored.call, [{ stored, proof }])
    const [first] = made?.records ?? []
    if (first === undefined) throw new Error('nothing was proven')
    const path = join(directory, `proof-${afterIndex}`)
    writeFileSync(path, first.proof)
    writeFileSync(`${path}.record`, first.record)
    proofs.push(path)
  }
  await storage.close()
}

function verify(at: string, ...of: string[]): string {
  const run = spawnSync(program, [at, ...of], { encoding: 'utf8' })
  return run.stdout.trim()
}

function spoiled(change: (at: string) => void): string {
  const copy = join(temporaryDirectory(), 'tree')
  cpSync(tree, copy, { recursive: true })
  change(copy)
  return copy
}

function edit(path: string, from: string | RegExp, to: string): void {
  const before = readFileSync(path, 'utf8')
  const after = before.replace(from, to)
  if (after === before) throw new Error('nothing was changed')
  writeFileSync(path, after)
}

describe('the verifier of the Go checksum database', () => {
  it('takes our signatures, tiles, inclusion and consistency proofs', () => {
    const checkpoints = readFileSync(join(tree, 'checkpoints.jsonl'), 'utf8').trimEnd().split('\n').length
    expect(checkpoints).toBeGreaterThan(1)
    expect(readdirSync(join(tree, 'tile', '0')).length).toBe(4)
    expect(verify(tree, ...proofs)).toBe(`VERIFIED: 800 records, ${checkpoints} checkpoints, 3 proofs`)
  })

  it('refuses a changed record, a changed tile and a changed checkpoint', () => {
    const record = spoiled((at) => edit(join(at, 'records.jsonl'), '"effect":"allow"', '"effect":"deny"'))
    expect(verify(record)).toMatch(/^REFUSED: record 0: not in the tree/)
    const tile = spoiled((at) => writeFileSync(join(at, 'tile', '0', '001'), Buffer.alloc(8192, 7)))
    expect(verify(tile)).toMatch(/^REFUSED: (the tiles|record 256: not in the tree)/)
    const checkpoint = spoiled((at) => edit(join(at, 'checkpoint'), '\n800\n', '\n801\n'))
    expect(verify(checkpoint)).toMatch(/^REFUSED: the signature of a checkpoint/)
  })

  it('refuses a proof of another record', () => {
    const [first, second] = proofs
    const path = join(temporaryDirectory(), 'proof')
    writeFileSync(path, readFileSync(first ?? ''))
    writeFileSync(`${path}.record`, readFileSync(`${second}.record`))
    expect(verify(tree, path)).toMatch(/^REFUSED: a proof of one record/)
  })
})
