import { setImmediate } from 'node:timers/promises'
import type { AuditReader, CheckpointRow, HeadRow, RecordRow } from './audit-reader.ts'
import { keySuccession } from './key-succession.ts'
import { readLogPage, type LogPage } from './log-page.ts'
import { BodyCheck } from './verify-bodies.ts'
import { CallCheck } from './verify-calls.ts'
import { ChainCheck, type ChainedRecord } from './verify-chain.ts'
import { RemovalCheck } from './verify-removals.ts'
import { Findings, type VerifyReport } from './verify-report.ts'
import { ForestCheck } from './verify-forest.ts'

const pageCheckpoints = 1000
const progressRecords = 1000
const missingKey = { ok: false, problem: "The log's public key is missing." } as const
const endOfLog = Number.MAX_SAFE_INTEGER

/** How a log is verified. */
export interface VerifyOptions {
  readonly reader: AuditReader
  /** The log's verifier key lines as the auditor was given them. Without them, those beside the log are believed. */
  readonly publicKeyLine?: string
  /** Checkpoints (signed notes) that were kept elsewhere: the only thing that shows a log rolled back as a whole. */
  readonly keptCheckpoints?: readonly string[]
  /** Called about every thousand records. */
  readonly onProgress?: (checked: number, total: number) => void
}

/**
 * Checks a decision log from its rows alone: every record's text against its hash, its row and the writer's chain;
 * positions without gaps; tiles and roots against every signed checkpoint; decisions against outcomes; bodies against
 * their commitments where the reader holds the master key. What is written while it runs is left for the next time.
 *
 * Does not show: a log that was put back as a whole to an older state (give `keptCheckpoints`), or one rewritten by
 * somebody who holds the signing key. Where no key line is given, somebody who may write the directory may also have
 * put a key of their own there.
 * @throws McpworksError `storage_unavailable` where the files cannot be read
 */
export async function verifyDecisionLog(options: VerifyOptions): Promise<VerifyReport> {
  const { reader, onProgress } = options
  const findings = new Findings()
  await setImmediate()
  const head = await reader.head()
  const given = options.publicKeyLine ?? (await reader.publicKeyLine())
  if (head === null) {
    if ((options.keptCheckpoints ?? []).length > 0)
      findings.head(0, 'There is no log here, but checkpoints of it were kept.')
    return report(findings, [], 0, true)
  }
  const changes = (await reader.keyChanges()).slice(0, head.keyChanges)
  const keys = given === null ? missingKey : keySuccession(given, changes)
  if (!keys.ok) {
    findings.head(0, `${keys.problem} No signature can be checked.`)
    return report(findings, [], 0, isAuthenticated(head))
  }
  const { succession } = keys
  const { logId } = succession
  const trees = new ForestCheck({ reader, findings, succession, nextSeq: head.nextSeq })
  const chain = new ChainCheck(findings, logId, head.writers)
  const removals = new RemovalCheck(findings, reader)
  await removals.read()
  const calls = new CallCheck(findings, (namespace, call) => removals.isCut(namespace, call))
  const bodies = new BodyCheck(findings)
  checkHead(findings, head)
  trees.plant((await reader.trees()).filter(({ ordinal }) => ordinal <= (head.newestTree ?? 0)))
  await expectCheckpoints(reader, findings, trees, head)
  for (const note of options.keptCheckpoints ?? []) {
    if (!trees.expectForeign(note)) findings.head(0, 'A checkpoint that was kept elsewhere is not one of this log.')
  }
  const judgeText = ({ row, envelope }: ChainedRecord): Promise<void> | null => {
    removals.look(row)
    if (row.json === '') return removals.missingText(row)
    if (envelope === null) {
      bodies.skip(row.seq)
      calls.doubt(row)
      return null
    }
    const gone = bodies.take(row, envelope)
    calls.take(row, envelope)
    removals.take(row, envelope)
    return gone === null ? null : removals.missingBodies(row, gone.key)
  }
  const judgePlace = ({ seq, namespace, index, id }: RecordRow, expected: number): void => {
    if (namespace !== null && index > expected && chain.placeGap(namespace, expected)) return
    const problem = `It lies at position ${index}; position ${expected} is next in its namespace: moved, inserted, or records before it are gone.`
    findings.record(seq, { namespace, index, id, problem })
  }
  const judgeTree = ({ row, envelope, leaf }: ChainedRecord): Promise<void> | null => {
    if (row.namespace === null) return null
    const { expected, comparing } = trees.take(row.namespace, row, Buffer.from(leaf, 'hex'), envelope)
    if (expected === null) return comparing
    if (comparing !== null) return comparing.then(() => judgePlace(row, expected))
    judgePlace(row, expected)
    return null
  }
  // Nearly always there is nothing to wait for, and to wait for nothing would cost a turn for every record.
  const judge = (record: ChainedRecord): Promise<void> | null => {
    const missing = judgeText(record)
    return missing === null ? judgeTree(record) : missing.then(() => judgeTree(record) ?? undefined)
  }
  const end = head.nextSeq + head.waiting
  const judgePage = async (page: LogPage): Promise<void> => {
    // The rows may come without any waiting; a server that verifies its own log must get to its other work.
    await setImmediate()
    bodies.expect(page.bodies)
    for (const row of page.rows) {
      for (const record of chain.take(row)) {
        const judging = judge(record)
        if (judging !== null) await judging
      }
    }
  }
  let next = 0
  let told = 0
  let page = await readLogPage(reader, 0, end)
  while (page.next !== null) {
    next = page.next
    // A database works on the next page while this one is judged.
    ;[page] = await Promise.all([readLogPage(reader, next, end), judgePage(page)])
    if (next - told < progressRecords && page.next !== null) continue
    told = next
    onProgress?.(Math.min(next, end), end)
  }
  for (const record of chain.finish(next === end)) await judge(record)
  if (next < end) {
    findings.head(endOfLog - 2, `The newest ${end - next} records are missing: the log was cut off.`)
  }
  const namespaces = trees.finish()
  chain.reportGaps()
  bodies.finish()
  removals.finish()
  calls.finish(head.writers)
  return report(findings, namespaces, calls.unfinished, isAuthenticated(head))
}

function checkHead(findings: Findings, head: HeadRow): void {
  if (head.mac === 'bad') findings.head(endOfLog, 'The head row was changed: its authentication code is not its own.')
  if (head.strays > 0)
    findings.head(endOfLog, `There are ${head.strays} records outside of the order of all records: inserted.`)
  for (const { writer, mac, newestPosition, nextPosition } of head.writers) {
    // The only writer's row is the head.
    if (mac === 'bad' && writer !== 0)
      findings.head(endOfLog, `The row of writer ${writer} was changed: its authentication code is not its own.`)
    if (newestPosition !== null && newestPosition >= nextPosition) {
      findings.head(
        endOfLog,
        `There are records beyond the newest that the head knows (writer position ${nextPosition}): inserted, or the head was put back.`,
      )
    }
  }
  if (head.newestSeq !== null && head.newestSeq >= head.nextSeq && head.writers.some(({ writer }) => writer !== 0)) {
    findings.head(
      endOfLog,
      `The order of the records goes on beyond what the head knows (${head.nextSeq}): inserted, or the head was put back.`,
    )
  }
  if (head.newestCheckpoint !== null && head.newestCheckpoint > head.checkpoints) {
    findings.head(
      endOfLog,
      `There are checkpoints beyond the newest that the head knows (${head.checkpoints}): inserted, or the head was put back.`,
    )
  }
}

function isAuthenticated(head: HeadRow): boolean {
  return head.mac === 'good' && head.writers.every(({ mac }) => mac === 'good')
}

async function expectCheckpoints(
  reader: AuditReader,
  findings: Findings,
  trees: ForestCheck,
  head: HeadRow,
): Promise<void> {
  let ordinal = 1
  const missing = (upTo: number) => {
    if (upTo <= ordinal) return
    const which = upTo === ordinal + 1 ? `Checkpoint ${ordinal} is` : `Checkpoints ${ordinal} to ${upTo - 1} are`
    findings.checkpoint(endOfLog, { namespace: null, index: null, id: null, problem: `${which} missing: deleted.` })
    findings.checkpoints.failed += upTo - ordinal - 1
  }
  for (;;) {
    const page: CheckpointRow[] = await reader.checkpoints(ordinal, pageCheckpoints)
    const rows = page.filter((row) => row.ordinal <= head.checkpoints)
    for (const row of rows) {
      missing(row.ordinal)
      trees.expect(row)
      ordinal = row.ordinal + 1
    }
    if (rows.length === 0) break
  }
  missing(head.checkpoints + 1)
}

function report(
  findings: Findings,
  namespaces: VerifyReport['namespaces'],
  unfinished: number,
  headAuthenticated: boolean,
): VerifyReport {
  const problems = findings.problems()
  return {
    ok: findings.ok,
    records: findings.records,
    checkpoints: findings.checkpoints,
    tiles: findings.tiles,
    bodies: findings.bodies,
    removed: findings.removed,
    namespaces,
    unfinished,
    headAuthenticated,
    firstProblem: problems[0] ?? null,
    problems: problems.slice(0, 20),
  }
}
