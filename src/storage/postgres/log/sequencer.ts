import type { KeyObject } from 'node:crypto'
import { McpworksError } from '../../../kernel/index.ts'
import { headMac, headMacFits } from '../../audit-head.ts'
import { headKey } from '../../data-keys.ts'
import type { Session } from '../session.ts'
import { byteaArray, int4Array, int8Array, textArray } from './binary-array.ts'
import { sequencerLock, tryAdvisoryLock } from './advisory-locks.ts'
import { readLogIdentity, type PostgresLogIdentity } from './log-identity.ts'
import { GrowingTrees } from './growing-trees.ts'
import { joinStretches, type WaitingRecord } from './stretch.ts'

const passRecords = 4096

/** What the sequencer works with. */
export interface SequencerParts {
  readonly session: Session
  readonly identity: PostgresLogIdentity
  readonly masterKey: Uint8Array
}

interface SequencerHead {
  readonly epoch: number
  readonly nextSeq: number
  readonly checkpoints: number
}

/**
 * Gives the records of all writers one order, grows the trees of their hashes and signs checkpoints. There is one on a
 * database: the one whose session holds the lock. Everything it writes goes through that session, so that what a former
 * one still sends cannot arrive. Not safe to be called again before an answer is there. After an error: open another one.
 */
export class Sequencer {
  readonly #session: Session
  readonly #logId: string
  readonly #headKey: KeyObject
  readonly #trees: GrowingTrees
  #head: SequencerHead

  private constructor({ session, identity, masterKey }: SequencerParts, head: SequencerHead) {
    this.#session = session
    this.#logId = identity.logId
    this.#headKey = headKey(masterKey)
    this.#trees = new GrowingTrees(session, identity)
    this.#head = head
  }

  /**
   * `null` while another session is the sequencer. The head must be the one that a sequencer left: to go on from another
   * would sign, and authenticate anew, an order that somebody without any key put in its place.
   * @throws DatabaseError; McpworksError `storage_unavailable` where the head was changed
   */
  static async open(parts: SequencerParts): Promise<Sequencer | null> {
    if (!(await tryAdvisoryLock(parts.session, sequencerLock))) return null
    // Whoever had the lock before may have changed the key.
    const identity = (await readLogIdentity(parts.session, parts.masterKey)) ?? parts.identity
    return Sequencer.resume({ ...parts, identity })
  }

  /** For a session that has the lock already. @throws as `open` does */
  static async resume(parts: SequencerParts): Promise<Sequencer> {
    const left = await readOwnHead(parts)
    const sequencer = new Sequencer(parts, { ...left, epoch: left.epoch + 1 })
    await sequencer.#trees.loadUnsigned()
    return sequencer
  }

  /**
   * Orders everything that is there, and signs checkpoints: of trees with 256 leaves beyond their newest one, or of all
   * that have any.
   * @throws DatabaseError; RangeError where a log has a hole, or a position twice
   */
  async run(sign: 'full' | 'all'): Promise<void> {
    for (;;) {
      const waiting = await this.#readWaiting()
      const isLast = waiting.length < passRecords
      await this.#trees.load(waiting.map(({ log }) => log))
      if (waiting.length > 0 || (sign === 'all' && this.#trees.hasUnsigned)) {
        await this.#pass(waiting, isLast ? sign : 'full')
      }
      if (isLast) return
    }
  }

  /** From here on a second key signs checkpoints too: the one that takes the place of the first. */
  signAlsoWith(next: PostgresLogIdentity['key']): void {
    this.#trees.signAlsoWith(next)
  }

  async #pass(waiting: readonly WaitingRecord[], sign: 'full' | 'all'): Promise<void> {
    const { tiles, sizes, checkpoints } = this.#trees.grow(waiting, this.#head.checkpoints, sign)
    const stretches = joinStretches(waiting, this.#head.nextSeq)
    const reached = new Map(waiting.map(({ writer, position }) => [writer, position + 1]))
    const head = {
      ...this.#head,
      nextSeq: this.#head.nextSeq + waiting.length,
      checkpoints: this.#head.checkpoints + checkpoints.length,
    }
    await this.#session.prepared('sequence', sequenceStatement, [
      int8Array(stretches.map(({ firstSeq }) => firstSeq)),
      int4Array(stretches.map(({ writer }) => writer)),
      int8Array(stretches.map(({ firstPosition }) => firstPosition)),
      int8Array(stretches.map(({ records }) => records)),
      int4Array([...reached.keys()]),
      int8Array([...reached.values()]),
      int4Array(tiles.map(({ tree }) => tree)),
      int4Array(tiles.map(({ level }) => level)),
      int8Array(tiles.map(({ index }) => index)),
      byteaArray(tiles.map(({ root }) => root)),
      byteaArray(tiles.map(({ hashes }) => hashes)),
      int4Array(sizes.map(({ tree }) => tree)),
      int8Array(sizes.map(({ size }) => size)),
      int8Array(checkpoints.map(({ ordinal }) => ordinal)),
      int4Array(checkpoints.map(({ tree }) => tree)),
      int8Array(checkpoints.map(({ size }) => size)),
      int8Array(checkpoints.map(({ timeMs }) => timeMs)),
      textArray(checkpoints.map(({ note }) => note)),
      head.epoch,
      head.nextSeq,
      head.checkpoints,
      this.#mac(head),
    ])
    this.#head = head
  }

  #mac(head: SequencerHead): Buffer {
    return headMac(this.#headKey, this.#logId, { ...head, lastHash: null, openFrom: 0 })
  }

  /**
   * What is not in the order yet, lowest batches first. A batch is visible only after those that it has to follow: those
   * of its logs, whose rows were locked until then, and those of its writer. So whatever becomes visible later may come later.
   */
  async #readWaiting(): Promise<WaitingRecord[]> {
    const { rows } = await this.#session.prepared('waiting', waitingStatement, [passRecords])
    return rows.map((row) => ({
      writer: Number(row['writer']),
      position: Number(row['pos']),
      log: Number(row['log']),
      index: Number(row['idx']),
      timeMs: Number(row['time_ms']),
      leaf: row['leaf_hash'] as Uint8Array,
      begins: row['tree'] === null ? null : { tree: Number(row['tree']), period: String(row['period']) },
    }))
  }
}

const waitingStatement = `
  SELECT waiting.writer, pos, waiting.log, idx, time_ms, leaf_hash, tree, period
  FROM writers LEFT JOIN sequenced USING (writer)
    CROSS JOIN LATERAL (
      SELECT writer, pos, batch, log, idx, time_ms, kind, leaf_hash FROM records
      WHERE records.writer = writers.writer AND pos >= COALESCE(sequenced.next_pos, 0) ORDER BY pos LIMIT $1::int
    ) AS waiting
    LEFT JOIN trees ON kind = 'period' AND trees.log = waiting.log AND first_idx = idx
  ORDER BY batch, pos LIMIT $1::int`

const sequenceStatement = `
  WITH stretched AS (
    INSERT INTO stretches (first_seq, writer, first_pos, records)
    SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[])
  ), reached AS (
    INSERT INTO sequenced (writer, next_pos) SELECT * FROM unnest($5::int[], $6::bigint[])
    ON CONFLICT (writer) DO UPDATE SET next_pos = excluded.next_pos
  ), tiled AS (
    INSERT INTO tiles (tree, level, idx, root, hashes)
    SELECT * FROM unnest($7::int[], $8::int[], $9::bigint[], $10::bytea[], $11::bytea[])
  ), grown AS (
    UPDATE trees SET size = grown.size FROM unnest($12::int[], $13::bigint[]) AS grown (tree, size)
    WHERE trees.tree = grown.tree
  ), signed AS (
    INSERT INTO checkpoints (ordinal, tree, size, time_ms, note)
    SELECT * FROM unnest($14::bigint[], $15::int[], $16::bigint[], $17::bigint[], $18::text[])
  )
  INSERT INTO head (epoch, next_seq, checkpoints, mac) VALUES ($19::bigint, $20::bigint, $21::bigint, $22::bytea)
  ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, next_seq = excluded.next_seq,
    checkpoints = excluded.checkpoints, mac = excluded.mac`

/** Where the former sequencer left off. @throws DatabaseError; McpworksError `storage_unavailable` where it was changed */
async function readOwnHead({ session, masterKey, identity }: SequencerParts): Promise<SequencerHead> {
  const { rows } = await session.query(
    `SELECT epoch, next_seq, checkpoints, mac,
       EXISTS (SELECT FROM stretches) OR EXISTS (SELECT FROM checkpoints) AS used
     FROM (SELECT) AS one LEFT JOIN head ON TRUE`,
  )
  const [row = {}] = rows
  const mac = row['mac'] as Uint8Array | null
  const head = {
    epoch: Number(row['epoch'] ?? 0),
    nextSeq: Number(row['next_seq'] ?? 0),
    checkpoints: Number(row['checkpoints'] ?? 0),
  }
  const isOwn =
    mac === null
      ? row['used'] === false
      : headMacFits(headKey(masterKey), identity.logId, { ...head, lastHash: null, openFrom: 0 }, mac)
  if (isOwn) return head
  throw new McpworksError('storage_unavailable', { message: 'The order of the decision log was changed.' })
}
