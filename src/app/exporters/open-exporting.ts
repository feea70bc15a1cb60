import type { LogPositionStore } from '../../audit/index.ts'
import { metricsMediaType, metricsText } from '../../exporters/index.ts'
import { metricsRoute, type Route } from '../../http/index.ts'
import { readerNames } from '../log-followers/reader-names.ts'
import { ExportingThread } from './exporting-thread.ts'
import type { ExportingAnswer, ExportingThreadData } from './exporting-protocol.ts'
import type { ExporterState } from './open-exporters.ts'
import type { OperatorLines } from './operator-lines.ts'
import { serverMetrics, type ServerFacts } from './server-metrics.ts'

/** What the log is handed on with. */
export interface ExportingOptions extends ExportingThreadData {
  readonly positions: LogPositionStore
  readonly log: OperatorLines
  /** Texts that were let go since the start before a reader of the log had them. */
  readonly lost: (reader: string) => number
  /** What metrics tell of the server besides what the log does. */
  readonly server: () => Pick<ServerFacts, 'refusing' | 'log' | 'sandbox'>
  /** Milliseconds before a thread that was lost is begun again: the first, doubled until the longest. */
  readonly pausesMs?: { readonly first: number; readonly longest: number }
}

/** The log on its way to others: to receivers, and as metrics for whoever asks. */
export interface Exporting {
  /** How far each receiver is. Where the thread does not answer, what it said last, and that it does not. */
  states(): Promise<readonly ExporterState[]>
  /** `/metrics`, where there is a token for it. */
  readonly routes: readonly Route[]
  close(): Promise<void>
}

/**
 * Begins a thread of its own that follows the log, puts it into the forms of others and sends it: what that costs is
 * not taken from the thread that answers calls. Without receivers and without metrics there is no thread. One that is
 * lost is begun again, and goes on where the positions are; that is told.
 * @throws McpworksError where the thread cannot begin: `storage_unavailable`
 */
export async function openExporting(options: ExportingOptions): Promise<Exporting> {
  const { config } = options
  if (config.receivers.length === 0 && config.metricsToken === '')
    return { states: async () => [], routes: [], close: async () => {} }
  const lostBy = (name: string): number => options.lost(readerNames.exporter(name))
  const threads = new RestartedThread(options)
  try {
    await threads.begin()
  } catch (error) {
    await threads.close()
    throw error
  }
  const text = async (): Promise<string> => {
    const answer = await threads.ask()
    const exporting = { isUp: answer !== null, lost: threads.lost }
    const lost = config.receivers.map(({ name, type }) => ({ name, type, records: lostBy(name) }))
    const facts = { version: options.version, ...options.server(), exporting, lost }
    return metricsText([...serverMetrics(facts), ...(answer?.families ?? [])])
  }
  return {
    states: async () =>
      (await threads.states()).map((state) => ({ ...state, dropped: state.dropped + lostBy(state.name) })),
    routes:
      config.metricsToken === ''
        ? []
        : [metricsRoute({ token: config.metricsToken, mediaType: metricsMediaType, text })],
    close: () => threads.close(),
  }
}

class RestartedThread {
  readonly #options: ExportingOptions
  readonly #positions: LogPositionStore
  #thread: ExportingThread | null = null
  #states: readonly ExporterState[]
  #why = 'it has not begun'
  #pauseMs = 0
  #begunAtMs = 0
  #retry: NodeJS.Timeout | null = null
  #isClosing = false
  /** A first thread that cannot begin is the server's start that fails. */
  #hasBegun = false
  lost = 0

  constructor(options: ExportingOptions) {
    this.#options = options
    this.#positions = withMetrics(options.positions)
    this.#states = options.config.receivers.map(unknownState)
  }

  async begin(): Promise<void> {
    const { place, config, version, log } = this.#options
    const thread = new ExportingThread({
      data: { place, config, version },
      positions: this.#positions,
      log,
      onLost: (why) => this.#onLost(thread, why),
    })
    this.#thread = thread
    this.#begunAtMs = performance.now()
    await thread.ready
    this.#hasBegun = true
  }

  async ask(): Promise<ExportingAnswer | null> {
    const answer = (await this.#thread?.ask()) ?? null
    if (answer !== null) this.#states = answer.states
    return answer
  }

  async states(): Promise<readonly ExporterState[]> {
    const answer = await this.ask()
    if (answer !== null) return answer.states
    const why = this.#thread === null ? `was lost: ${this.#why}` : 'does not answer'
    return this.#states.map((state) => ({ ...state, failing: `the thread that sends it ${why}` }))
  }

  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    await this.#thread?.close()
  }

  #onLost(thread: ExportingThread, why: string): void {
    if (this.#thread !== thread || this.#isClosing || !this.#hasBegun) return
    this.#thread = null
    this.#why = why
    this.lost += 1
    this.#options.log.error({ why }, 'the thread that hands the log on was lost; it is begun again')
    this.#beginLater()
  }

  #beginLater(): void {
    const { pausesMs = { first: 1000, longest: 60_000 }, log } = this.#options
    if (performance.now() - this.#begunAtMs > pausesMs.longest) this.#pauseMs = 0
    this.#pauseMs = Math.min(Math.max(pausesMs.first, this.#pauseMs * 2), pausesMs.longest)
    this.#retry = setTimeout(() => {
      this.begin().then(
        () => log.info({}, 'the thread that hands the log on is there again'),
        () => {},
      )
    }, this.#pauseMs)
    this.#retry.unref()
  }
}

/** A receiver whose thread has said nothing yet. */
function unknownState({ name, type }: ExportingThreadData['config']['receivers'][number]): ExporterState {
  const following = { position: '', taken: 0, refusals: 0, failing: null, waitingSinceMs: null }
  return { name, type, ...following, rejected: 0, dropped: 0 }
}

/** How far metrics have counted is kept as long as this process is there, like what they are compared with. */
function withMetrics(positions: LogPositionStore): LogPositionStore {
  let metrics: string | null = null
  return {
    find: async (reader) => (reader === 'metrics' ? metrics : await positions.find(reader)),
    async keep(reader, id) {
      if (reader === 'metrics') metrics = id
      else await positions.keep(reader, id)
    },
  }
}
