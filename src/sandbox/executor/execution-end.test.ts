import { Duplex, Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { ConfiningGroup } from '../cgroup/confining-group.ts'
import { encodeFrame } from '../protocol/frame.ts'
import type { Jail, JailEnd } from '../sandbox-engine.ts'
import type { SandboxOutcome, SandboxSpec } from '../sandbox.ts'
import { execute } from './execution.ts'
import type { ProcessFacts } from './process-facts.ts'
import { SealedJail } from './sealed-jail.ts'

/** Of no process: Linux gives none beyond 2^22. */
const noPid = 5_000_000
const spec: SandboxSpec = {
  id: 'end',
  runtime: 'python',
  files: new Map([['main.py', Buffer.from('pass')]]),
  entry: { file: 'main.py', name: 'main' },
  inputJson: '{}',
  limits: {
    wallMs: 60_000,
    cpuMs: 60_000,
    memoryBytes: 2 ** 30,
    processes: 8,
    openFiles: 64,
    scratchBytes: 2 ** 20,
    resultBytes: 500,
    outputBytes: 100,
    innerCalls: 6,
  },
}

const nothing: ProcessFacts = {
  uids: [],
  gids: [],
  capabilities: [],
  noNewPrivs: true,
  seccompMode: 2,
  seccompFilters: 2,
  threads: 1,
  hasMemory: false,
  ownBytes: 0,
  anonymousBytes: 0,
  fileBytes: 0,
  peakRssBytes: 0,
}

/** A jail that ends without a word once it has been given code. */
function jailThatEnds(exitCode: number | null, end?: Promise<JailEnd>): Jail {
  const ended = Promise.withResolvers<JailEnd>()
  let writes = 0
  const channel = new Duplex({
    read: () => undefined,
    write(_chunk, _encoding, done) {
      writes += 1
      if (writes === 1) this.push(encodeFrame({ type: 'ready', version: 1, nonce: 'n' }))
      else ended.resolve({ exitCode })
      done()
    },
  })
  const [stdout, stderr] = [Readable.from([]), Readable.from([])]
  return { channel, stdout, stderr, pid: Promise.resolve(noPid), ended: end ?? ended.promise, kill: () => undefined }
}

async function outcomeOf(exitCode: number | null, oomKills: number, isAtBound: boolean): Promise<SandboxOutcome> {
  const group: ConfiningGroup = {
    confine: async () => await Promise.resolve({ ok: true }),
    usage: () => ({ cpuMs: 1, memoryBytes: 0, peakMemoryBytes: 0, peakProcesses: 3, oomKills, isAtBound }),
    cpuMs: () => 1,
    readBack: () => null,
    end: () => undefined,
  }
  const order = { setup: encodeFrame({}), nonce: 'n', unsealedReason: () => null, group }
  const sealed = await SealedJail.make(jailThatEnds(exitCode), order)
  if (!sealed.ok) throw new Error(sealed.why)
  return await execute(sealed.jail, spec, { engine: 'streams', profile: 'none', profileHash: 'sha256:0' }, {})
}

describe('a jail that the kernel ended for want of memory', () => {
  // `null`: the process that would tell of the exit was in the group, and was ended with it.
  test.each([137, null])('says so whether its exit is told (%s) or not', async (exitCode) => {
    expect(await outcomeOf(exitCode, 1, true)).toMatchObject({
      status: 'limit',
      limit: 'memory',
      usage: { peakProcesses: 3 },
      ...(exitCode === null ? {} : { exitCode }),
    })
    const machine = await outcomeOf(exitCode, 1, false)
    expect(machine).toMatchObject({
      status: 'killed',
      reason: 'signal',
      message: expect.stringContaining('ran out of memory'),
    })
  })

  test('is told from one that was ended by something else', async () => {
    const outcome = await outcomeOf(null, 0, true)
    expect(outcome).toMatchObject({
      status: 'killed',
      reason: 'signal',
      message: expect.stringContaining('from outside'),
    })
  })
})

describe('a jail whose first thread has ended', () => {
  /** Ends with 0 at the third look, and with nothing told at a kill. */
  async function outcomeWith(threads: number): Promise<SandboxOutcome> {
    const ended = Promise.withResolvers<JailEnd>()
    const jail = {
      ...jailThatEnds(0, ended.promise),
      kill: () => ended.resolve({ exitCode: null }),
    }
    let looks = 0
    const meter = {
      cpuMs: () => 0,
      transfer: () => ({ readBytes: 10 * looks, writtenBytes: looks }),
      facts: () => {
        looks += 1
        if (looks === 3) ended.resolve({ exitCode: 0 })
        return { ...nothing, threads }
      },
    }
    const order = { setup: encodeFrame({}), nonce: 'n', unsealedReason: () => null, group: null, meter: () => meter }
    const sealed = await SealedJail.make(jail, order)
    if (!sealed.ok) throw new Error(sealed.why)
    return await execute(sealed.jail, spec, { engine: 'streams', profile: 'none', profileHash: 'sha256:0' }, {})
  }

  test('is left to end where that was the only one, and its exit code is told', async () => {
    expect(await outcomeWith(1)).toMatchObject({
      status: 'exception',
      kind: 'ProcessExit',
      message: expect.stringContaining('exit code 0'),
      exitCode: 0,
    })
  })

  test('is killed where others may go on, of whose memory nothing is told', async () => {
    const outcome = await outcomeWith(2)
    expect(outcome).toMatchObject({ status: 'killed', reason: 'signal' })
    expect(outcome).not.toHaveProperty('exitCode')
  })
})
