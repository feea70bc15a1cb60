/** How a part of publishing fares, for people. */
export interface PartState {
  /** `directory`, `witness NAME`. */
  readonly name: string
  /** `waiting` before the first attempt. */
  readonly status: 'waiting' | 'ok' | 'failing' | 'conflict'
  /** Why it is failing, or what does not fit. A sentence without a secret; `null` where all is well. */
  readonly problem: string | null
  /** Of the last attempt that went well; `null` where none did. */
  readonly okAtMs: number | null
}

/** What came of an attempt. */
export type Attempt = { readonly status: 'ok' } | { readonly status: 'failing' | 'conflict'; readonly problem: string }

/** One place outside, with how it fares and when it is tried again. */
export class Part {
  readonly name: string
  readonly #work: () => Promise<Attempt>
  readonly #pausesMs: { readonly first: number; readonly longest: number }
  #state: PartState
  #pauseMs = 0
  #dueMs = 0

  constructor(
    name: string,
    work: () => Promise<Attempt>,
    pausesMs: { readonly first: number; readonly longest: number },
  ) {
    this.name = name
    this.#work = work
    this.#pausesMs = pausesMs
    this.#state = { name, status: 'waiting', problem: null, okAtMs: null }
  }

  get state(): PartState {
    return this.#state
  }

  /** Tries, where it is due. Gives the state where it is another kind of state than before, else `null`. Never rejects. */
  async run(nowMs: number): Promise<PartState | null> {
    if (nowMs < this.#dueMs) return null
    const before = this.#state
    const attempt = await this.#work().catch((error: unknown): Attempt => ({
      status: 'failing',
      problem: error instanceof Error && error.name === 'PublishFailure' ? error.message : 'it broke on our side',
    }))
    const problem = attempt.status === 'ok' ? null : attempt.problem
    this.#state = {
      name: this.name,
      status: attempt.status,
      problem,
      okAtMs: attempt.status === 'ok' ? nowMs : before.okAtMs,
    }
    this.#pauseMs =
      attempt.status === 'failing'
        ? Math.min(Math.max(this.#pausesMs.first, this.#pauseMs * 2), this.#pausesMs.longest)
        : 0
    this.#dueMs = nowMs + this.#pauseMs
    const isNews = before.status !== attempt.status && !(before.status === 'waiting' && attempt.status === 'ok')
    return isNews ? this.#state : null
  }
}
