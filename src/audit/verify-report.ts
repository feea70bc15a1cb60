/** Something in a log that is not as it was written. */
export interface VerifyProblem {
  readonly subject: 'record' | 'tree' | 'checkpoint' | 'tile' | 'body' | 'head'
  readonly namespace: string | null
  /** Position in the namespace's log: of the record, or of the first record that a checkpoint or tile covers wrongly. */
  readonly index: number | null
  /** Record id. */
  readonly id: string | null
  /** A sentence. */
  readonly problem: string
}

/** How many were looked at, and how many of them were bad. */
export interface VerifyCount {
  checked: number
  failed: number
}

/** What the verifier found. */
export interface VerifyReport {
  readonly ok: boolean
  readonly records: Readonly<VerifyCount>
  readonly checkpoints: Readonly<VerifyCount>
  readonly tiles: Readonly<VerifyCount>
  readonly bodies: Readonly<VerifyCount & { unopened: number }>
  /** Texts of records, and bodies, that are gone as records of the log say: after their time, or erased. */
  readonly removed: { readonly texts: number; readonly bodies: number }
  readonly namespaces: readonly {
    readonly namespace: string
    /** Records. */
    readonly size: number
    /** The namespace's trees, in the order of their periods. */
    readonly trees: readonly {
      readonly period: string
      readonly firstIndex: number
      readonly size: number
      /** RFC 6962 root over its records, base64. */
      readonly root: string
    }[]
    /** Records that no signature covers yet. They are held by the writer's chain and the head alone. */
    readonly unsigned: number
  }[]
  /** Allowed calls that are still running, or were when the server was last killed. */
  readonly unfinished: number
  /** False where the master key was not at hand: then the head is believed as it lies there. */
  readonly headAuthenticated: boolean
  /** The first bad thing in the order of writing, `null` where there is none. */
  readonly firstProblem: VerifyProblem | null
  /** The first twenty. */
  readonly problems: readonly VerifyProblem[]
}

const keptProblems = 20

/** Gathers what a verification finds. */
export class Findings {
  readonly records: VerifyCount = { checked: 0, failed: 0 }
  readonly checkpoints: VerifyCount = { checked: 0, failed: 0 }
  readonly tiles: VerifyCount = { checked: 0, failed: 0 }
  readonly bodies = { checked: 0, failed: 0, unopened: 0 }
  /** What is gone, and accounted for by records. */
  readonly removed = { texts: 0, bodies: 0 }
  readonly #found: { readonly at: number; readonly problem: VerifyProblem }[] = []
  readonly #badRecords = new Set<number>()
  #wholeFailed = false

  /** Notes a bad record; counts each record once, however much is wrong with it. `seq` orders the problems. */
  record(seq: number, problem: Omit<VerifyProblem, 'subject'>): void {
    if (!this.#badRecords.has(seq)) this.records.failed += 1
    this.#badRecords.add(seq)
    this.#note(seq, { subject: 'record', ...problem })
  }

  /** Notes a tree whose row is bad. */
  tree(seq: number, problem: Omit<VerifyProblem, 'subject'>): void {
    this.#wholeFailed = true
    this.#note(seq, { subject: 'tree', ...problem })
  }

  checkpoint(seq: number, problem: Omit<VerifyProblem, 'subject'>): void {
    this.checkpoints.failed += 1
    this.#note(seq, { subject: 'checkpoint', ...problem })
  }

  tile(seq: number, problem: Omit<VerifyProblem, 'subject'>): void {
    this.tiles.failed += 1
    this.#note(seq, { subject: 'tile', ...problem })
  }

  body(seq: number, problem: Omit<VerifyProblem, 'subject'>): void {
    this.bodies.failed += 1
    this.#note(seq, { subject: 'body', ...problem })
  }

  head(seq: number, problem: string): void {
    this.#wholeFailed = true
    this.#note(seq, { subject: 'head', namespace: null, index: null, id: null, problem })
  }

  /** Whether this record was found bad already. */
  isBad(seq: number): boolean {
    return this.#badRecords.has(seq)
  }

  get ok(): boolean {
    const counts = [this.records, this.checkpoints, this.tiles, this.bodies]
    return !this.#wholeFailed && counts.every(({ failed }) => failed === 0)
  }

  /** In the order of writing. */
  problems(): VerifyProblem[] {
    return this.#found.toSorted((one, other) => one.at - other.at).map(({ problem }) => problem)
  }

  #note(at: number, problem: VerifyProblem): void {
    this.#found.push({ at, problem })
    if (this.#found.length <= keptProblems * 2) return
    this.#found.sort((one, other) => one.at - other.at)
    this.#found.length = keptProblems
  }
}
