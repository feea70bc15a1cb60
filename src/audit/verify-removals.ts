import type { AuditReader, RecordRow } from './audit-reader.ts'
import { LeftColumnsCheck } from './left-columns-check.ts'
import { PositionRanges } from './position-ranges.ts'
import { readRemoval, type Removal } from './removal-event.ts'
import { leafHashText } from './rfc6962.ts'
import { parseObject, type StoredEnvelope } from './stored-envelope.ts'
import { subjectOfDecision } from './subject-of.ts'
import type { Findings } from './verify-report.ts'

/** What the records of one namespace say was taken out of it. */
interface Account {
  readonly texts: PositionRanges
  /** Those among them that were to stay. */
  readonly kept: PositionRanges
  /** By retention. */
  readonly bodies: PositionRanges
  /** What was sealed under the erased keys of a principal; what is beyond the position of the last erasure was not. */
  readonly erased: Map<string, { before: number; readonly bodies: PositionRanges; readonly keys: Set<number> }>
  /** Calls whose decision is gone and whose end is not. */
  readonly calls: Set<string>
}

/**
 * Knows what may be missing: a text, a body or a key only where a record of kind `retention` or `erasure` names it.
 * Those records come after what they speak of, so they are read first; whether they are intact shows where the
 * verifier comes to them. A record that takes out what was on legal hold is a finding itself.
 */
export class RemovalCheck {
  readonly #findings: Findings
  readonly #reader: Pick<AuditReader, 'removals'>
  #accounts = new Map<string, Account>()
  /** Holds in force where the verifier is, by namespace, with the subject that each is for. */
  readonly #holds = new Map<string, Map<string, string | null>>()
  /** Whose calls are, of those that are open where the verifier is, in namespaces in which somebody was erased. */
  readonly #subjects = new Map<string, string | null>()
  readonly #left: LeftColumnsCheck

  constructor(findings: Findings, reader: Pick<AuditReader, 'removals'>) {
    this.#findings = findings
    this.#reader = reader
    this.#left = new LeftColumnsCheck(findings)
  }

  /** Reads what was taken out up to now. What is taken out while the log is verified is read when it is missed. */
  async read(): Promise<void> {
    const accounts = new Map<string, Account>()
    for (const row of await this.#reader.removals()) {
      if (row.namespace === null || leafHashText(row.json) !== row.leafHash) continue
      const removal = readRemoval(row.kind, parseObject(row.json)?.['event'])
      if (removal === null) continue
      enter(removal, accountOf(accounts, row.namespace), row.index)
      if (this.#readAgain === 0 && removal.kind === 'texts') this.#left.expect(row, removal)
    }
    this.#accounts = accounts
  }

  /** Takes every record of the order of all, with a text or without. */
  look(row: RecordRow): void {
    this.#left.take(row)
  }

  /** Reports what can be said once all was seen. */
  finish(): void {
    this.#left.finish()
  }

  /** Takes an intact record in the order of writing. */
  take(row: RecordRow, { event }: StoredEnvelope): void {
    this.#noteSubject(row)
    const removal = row.namespace === null ? null : readRemoval(row.kind, event)
    if (removal === null || row.namespace === null) return
    const holds = this.#holds.get(row.namespace) ?? new Map<string, string | null>()
    this.#holds.set(row.namespace, holds)
    if (isHeld(removal, holds)) this.#fail(row, 'It takes out what was on legal hold.')
    if (removal.kind === 'hold-placed') holds.set(removal.hold, removal.subject)
    if (removal.kind === 'hold-lifted') holds.delete(removal.hold)
  }

  /** Of a call that is open until its end comes. */
  #noteSubject(row: RecordRow): void {
    if (row.namespace === null || (this.#accounts.get(row.namespace)?.erased.size ?? 0) === 0) return
    const call = `${row.namespace}/${row.call}`
    if (row.kind === 'decision') this.#subjects.set(call, subjectOfDecision(row.json))
    else if (row.kind === 'outcome' || row.kind === 'abandoned') {
      this.#ended = { seq: row.seq, subject: this.#subjects.get(call) }
      this.#subjects.delete(call)
    }
  }

  /** The end that was taken last, with whose it is. */
  #ended: { readonly seq: number; readonly subject: string | null | undefined } | null = null

  /** `undefined` where the text that says it was let go. */
  #subjectOf(row: RecordRow): string | null | undefined {
    if (row.kind === 'decision') return subjectOfDecision(row.json)
    return this.#ended?.seq === row.seq ? this.#ended.subject : this.#subjects.get(`${row.namespace}/${row.call}`)
  }

  /** A record whose text is not there. */
  async missingText(row: RecordRow): Promise<void> {
    const covered = await this.#covers(({ texts, kept }) => texts.has(row.index) && !kept.has(row.index), row)
    if (covered && row.principal !== null)
      this.#fail(row, 'Its text was let go, and its row names a principal: changed.')
    if (covered) this.#findings.removed.texts += 1
    else this.#fail(row, 'Its text is missing, and no record says that it was let go.')
  }

  /** A record that was taken, whose bodies are not there, or cannot be opened because their key is not there. */
  async missingBodies(row: RecordRow, key: number | null): Promise<void> {
    const covered = await this.#covers(
      ({ bodies, erased }) => bodies.has(row.index) || isErased(row.index, key, this.#subjectOf(row), erased),
      row,
    )
    if (covered) {
      this.#findings.removed.bodies += 1
      return
    }
    const { namespace, index, id, seq } = row
    const problem =
      key === null
        ? 'Its bodies are not stored beside it any more.'
        : 'The key of its bodies is gone, and no record says that it was erased.'
    this.#findings.body(seq, { namespace, index, id, problem })
  }

  /** Whether a call may have an end without a decision before it. */
  isCut(namespace: string, call: string): boolean {
    return this.#accounts.get(namespace)?.calls.has(call) ?? false
  }

  async #covers(covers: (account: Account) => boolean, { namespace }: RecordRow): Promise<boolean> {
    if (namespace === null) return false
    const known = this.#accounts.get(namespace)
    if (known !== undefined && covers(known)) return true
    // It may have been taken out since. After enough of these the log is not one that is being written to.
    if (this.#readAgain >= readAgainLimit) return false
    this.#readAgain += 1
    await this.read()
    const account = this.#accounts.get(namespace)
    return account !== undefined && covers(account)
  }

  #readAgain = 0

  #fail({ namespace, index, id, seq }: RecordRow, problem: string): void {
    this.#findings.record(seq, { namespace, index, id, problem })
  }
}

const readAgainLimit = 1000

/** Whose record it is says its text, so that nobody's bodies are taken for those of somebody who was erased. */
function isErased(
  index: number,
  key: number | null,
  subject: string | null | undefined,
  erased: Account['erased'],
): boolean {
  const of = subject === undefined ? [...erased.values()] : [erased.get(subject ?? '')]
  return of.some(
    (one) => one !== undefined && index < one.before && (key === null ? one.bodies.has(index) : one.keys.has(key)),
  )
}

function enter(removal: Removal, account: Account, index: number): void {
  switch (removal.kind) {
    case 'texts':
      // What lies before its first position is for the step before it to say: nobody is to hide a record there.
      if (removal.below > removal.from) account.texts.add(removal.from, removal.below - 1)
      for (const [from, to] of removal.kept) account.kept.add(from, to)
      for (const call of removal.calls) account.calls.add(call)
      return
    case 'bodies': {
      const { bodies } = removal.subject === null ? account : erasedOf(account, removal.subject)
      for (const [from, to] of removal.ranges) bodies.add(from, to)
      return
    }
    case 'keys': {
      const erased = erasedOf(account, removal.subject)
      erased.before = Math.max(erased.before, index)
      for (const key of removal.keys) erased.keys.add(key)
      return
    }
    case 'hold-placed':
    case 'hold-lifted':
  }
}

function accountOf(accounts: Map<string, Account>, namespace: string): Account {
  const known = accounts.get(namespace)
  if (known !== undefined) return known
  const made = {
    texts: new PositionRanges(),
    kept: new PositionRanges(),
    bodies: new PositionRanges(),
    erased: new Map(),
    calls: new Set<string>(),
  }
  accounts.set(namespace, made)
  return made
}

function erasedOf({ erased }: Account, subject: string) {
  const known = erased.get(subject)
  if (known !== undefined) return known
  const made = { before: 0, bodies: new PositionRanges(), keys: new Set<number>() }
  erased.set(subject, made)
  return made
}

/** What an erased key had sealed may go, whatever is on hold: nobody can read it. */
function isHeld(removal: Removal, holds: ReadonlyMap<string, string | null>): boolean {
  switch (removal.kind) {
    case 'texts':
      return holds.size > 0
    case 'bodies':
      return removal.subject === null && [...holds.values()].includes(null)
    case 'keys':
      return [...holds.values()].some((subject) => subject === null || subject === removal.subject)
    case 'hold-placed':
    case 'hold-lifted':
      return false
  }
}
