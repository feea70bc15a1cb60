import {
  askWitness,
  cosignedNote,
  judgeCheckpoint,
  parseWitnessKey,
  publishTree,
  type CheckpointSink,
  type PublishTarget,
  type SignedTree,
  type WitnessKey,
} from '../audit/index.ts'
import { openCheckpointFile } from './checkpoint-file.ts'
import { openCheckpointWebhook } from './checkpoint-webhook.ts'
import type { PublishingConfig } from './config.ts'
import { openDirectoryTarget } from './directory-target.ts'
import { openObjectStore } from './object-store.ts'
import { Part, type Attempt, type PartState } from './part.ts'
import type { PublishingPorts } from './publishing-ports.ts'
import { openStoredCheckpoints } from './stored-checkpoints.ts'
import { treePath } from './tree-path.ts'

const witnessTimeoutMs = 15_000
const maxWitnessBytes = 64 * 1024

/** What publishing is opened with. `alarm` is told of each conflict once. */
export interface PublishingOptions extends Omit<PublishingPorts, 'networks' | 'signal'> {
  readonly config: PublishingConfig
  readonly pausesMs?: { readonly first: number; readonly longest: number }
  /** Told when a place begins to fail or to conflict, and when it is well again. */
  readonly onChange: (state: PartState) => void
  /** Told of what broke on our side. It is tried again. */
  readonly onFailure: (error: unknown) => void
}

/** Publishing at work. */
export interface Publishing {
  /** How each place fares. */
  states(): readonly PartState[]
  /** Looks once more, and resolves when every place was tried that is due. */
  look(): Promise<void>
  close(): Promise<void>
}

/**
 * Hands the newest signed checkpoint of each tree to witnesses, then writes trees and checkpoints to where they are kept
 * outside, again and again. No call waits for any of it: what is handed on is read from the log, and a place that does
 * not answer is brought up to date later. A place that holds something else than this log is left as it is, and told of.
 */
export function openPublishing(options: PublishingOptions): Publishing {
  const { config, clock, onChange, onFailure, pausesMs = { first: 1000, longest: 300_000 } } = options
  const closing = new AbortController()
  const ports: PublishingPorts = {
    ...options,
    networks: config.networks,
    signal: closing.signal,
    alarm: onceEach(options.alarm),
  }
  let trees: readonly SignedTree[] = []
  const witnesses = config.witnesses.map(
    (witness) =>
      new Part(
        `witness ${witness.name}`,
        witnessWork(witness, () => trees, ports),
        pausesMs,
      ),
  )
  const places = [
    ...targetsOf(config, ports).map(
      (target) =>
        new Part(
          target.name,
          targetWork(target, () => trees, ports),
          pausesMs,
        ),
    ),
    ...sinksOf(config, ports).map(
      (sink) =>
        new Part(
          sink.name,
          sinkWork(sink, () => trees, ports),
          pausesMs,
        ),
    ),
  ]
  const parts = [...witnesses, ...places]

  let last: Promise<unknown> = Promise.resolve()

  /** One after the other: two looks at once would write the same things twice. */
  function look(): Promise<void> {
    const next = last.then(lookOnce)
    last = next.catch(() => {})
    return next
  }

  async function lookOnce(): Promise<void> {
    if (closing.signal.aborted) return
    trees = await signedTrees(ports)
    for (const group of [witnesses, places]) {
      const changes = await Promise.all(group.map((part) => part.run(clock.nowMs())))
      for (const change of changes) if (change !== null && !closing.signal.aborted) onChange(change)
    }
  }

  let isLooking = false
  async function lookUnlessLooking(): Promise<void> {
    if (isLooking) return
    isLooking = true
    await look().catch(onFailure)
    isLooking = false
  }

  if (parts.length > 0) void lookUnlessLooking()
  const timer = parts.length > 0 ? setInterval(() => void lookUnlessLooking(), config.everySeconds * 1000) : null
  timer?.unref()
  return {
    states: () => parts.map(({ state }) => state),
    look,
    async close() {
      if (timer !== null) clearInterval(timer)
      closing.abort()
      await last
    },
  }
}

/** Different things that are told of one tree at one place. */
const mostAlarms = 3

/**
 * A place that does not fit is looked at again and again; what does not fit is told once. Each alarm is a record, and so
 * makes the log longer, and what a place says can be another thing each time: after a few, its state says that it does
 * not fit, and nothing more is recorded.
 */
function onceEach(alarm: PublishingPorts['alarm']): PublishingPorts['alarm'] {
  const toldAt = new Map<string, Set<string>>()
  return async (conflict) => {
    const { where, tree, problem, theirs } = conflict
    const place = JSON.stringify([where, tree])
    const about = JSON.stringify([problem, theirs])
    const told = toldAt.get(place) ?? new Set()
    if (told.has(about) || told.size >= mostAlarms) return
    await alarm(conflict)
    toldAt.set(place, told.add(about))
  }
}

async function signedTrees({ reader }: PublishingPorts): Promise<SignedTree[]> {
  const found: SignedTree[] = []
  for (const { namespace, period } of await reader.trees()) {
    const newest = namespace === null ? null : await reader.newestCheckpoint(namespace, period)
    if (namespace !== null && newest !== null) found.push({ namespace, period, newest })
  }
  return found
}

/** What a look at several trees comes to. The others are not kept waiting by one that does not fit. */
class Attempts {
  #worst: Attempt = { status: 'ok' }

  add(attempt: Attempt): void {
    if (this.#worst.status === 'ok' || attempt.status === 'conflict') this.#worst = attempt
  }

  get sum(): Attempt {
    return this.#worst
  }
}

function targetsOf(config: PublishingConfig, ports: PublishingPorts): PublishTarget[] {
  const { directory, store } = config
  return [
    ...(directory === null ? [] : [openDirectoryTarget(directory)]),
    ...(store.endpoint === null
      ? []
      : [openObjectStore('object store', { ...store, endpoint: store.endpoint }, ports)]),
  ]
}

function sinksOf({ checkpoints }: PublishingConfig, ports: PublishingPorts): CheckpointSink[] {
  const { file, store, webhook } = checkpoints
  const { endpoint } = store
  return [
    ...(file === null ? [] : [openCheckpointFile(file)]),
    ...(endpoint === null
      ? []
      : [openStoredCheckpoints(openObjectStore('checkpoint store', { ...store, endpoint }, ports))]),
    ...(webhook.url === null ? [] : [openCheckpointWebhook({ url: webhook.url, secret: webhook.secret }, ports)]),
  ]
}

function targetWork(target: PublishTarget, trees: () => readonly SignedTree[], ports: PublishingPorts) {
  const published = new Map<string, string>()
  return async (): Promise<Attempt> => {
    const attempts = new Attempts()
    for (const { newest, ...tree } of trees()) {
      const place = treePath(tree)
      const note = cosignedNote(newest, await ports.cosignatures.list(tree.namespace, tree.period))
      if (published.get(place) === note) continue
      const outcome = await publishTree(ports.reader, { ...tree, newest: { ...newest, note } }, target, place)
      if (outcome.status === 'published') published.set(place, note)
      if (outcome.status === 'raced') attempts.add({ status: 'failing', problem: 'somebody else writes to it too' })
      if (outcome.status !== 'conflict') continue
      const { path, problem, theirs } = outcome
      await ports.alarm({ where: target.name, tree, problem: `${path}: ${problem}`, ours: newest.note, theirs })
      attempts.add({ status: 'conflict', problem: `${path}: ${problem}` })
    }
    return attempts.sum
  }
}

function sinkWork(sink: CheckpointSink, trees: () => readonly SignedTree[], ports: PublishingPorts) {
  const continued = new Set<string>()

  /** Once a start: that this log goes on from what is kept there, so that none that was put back is added to it. */
  async function conflictOf(tree: SignedTree) {
    const origin = tree.newest.note.slice(0, tree.newest.note.indexOf('\n'))
    if (sink.kept === undefined || continued.has(origin)) return null
    const theirs = await sink.kept(origin)
    const judged = theirs === null ? { ok: true as const } : await judgeCheckpoint(ports.reader, tree, theirs)
    if (!judged.ok) return { path: treePath(tree), problem: judged.problem, theirs }
    continued.add(origin)
    return null
  }

  return async (): Promise<Attempt> => {
    const attempts = new Attempts()
    const tell = async (
      { newest, ...tree }: SignedTree,
      { path, problem, theirs }: { readonly path: string; readonly problem: string; readonly theirs: string | null },
    ) => {
      await ports.alarm({ where: sink.name, tree, problem: `${path}: ${problem}`, ours: newest.note, theirs })
      attempts.add({ status: 'conflict', problem: `${path}: ${problem}` })
    }
    for (const signed of trees()) {
      const { newest, ...tree } = signed
      const conflict = await conflictOf(signed)
      if (conflict !== null) {
        await tell(signed, conflict)
        continue
      }
      const position = `${sink.name} ${treePath(tree)}`
      if ((await ports.positions.find(position)) === String(newest.size)) continue
      const outcome = await sink.take([{ ...tree, ...newest }])
      if (outcome.status === 'taken') {
        await ports.positions.keep(position, String(newest.size))
        continue
      }
      await tell(signed, outcome)
    }
    return attempts.sum
  }
}

function witnessWork(
  witness: PublishingConfig['witnesses'][number],
  trees: () => readonly SignedTree[],
  ports: PublishingPorts,
) {
  const where = `witness ${witness.name}`
  const key = parseWitnessKey(witness.key)
  const keys: WitnessKey[] = key === null ? [] : [key]
  const post = async (body: string) => {
    const outcome = await ports.fetch(
      `${witness.url.replace(/\/+$/, '')}/add-checkpoint`,
      { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' }, body, signal: ports.signal },
      {
        purpose: 'witness',
        maxBytes: maxWitnessBytes,
        timeoutMs: witnessTimeoutMs,
        allow: { networks: ports.networks },
      },
    )
    return outcome.ok ? { status: outcome.status, body: Buffer.from(outcome.body).toString('utf8') } : null
  }
  return async (): Promise<Attempt> => {
    const attempts = new Attempts()
    for (const { newest, ...tree } of trees()) {
      const own = (await ports.cosignatures.list(tree.namespace, tree.period)).filter(
        (kept) => kept.witness === key?.name,
      )
      const knownSize = own[0]?.size ?? 0
      if (knownSize === newest.size) continue
      const outcome = await askWitness(ports.reader, { tree, newest, knownSize, keys }, post)
      if (outcome.status === 'cosigned') {
        for (const cosignature of outcome.cosignatures)
          await ports.cosignatures.add({ ...cosignature, ...tree, size: newest.size })
        continue
      }
      const problem = `${treePath(tree)}: ${outcome.problem}`
      if (outcome.status === 'conflict')
        await ports.alarm({ where, tree, problem: outcome.problem, ours: newest.note, theirs: null })
      attempts.add({ status: outcome.status === 'conflict' ? 'conflict' : 'failing', problem })
    }
    return attempts.sum
  }
}
