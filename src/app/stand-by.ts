import type { Config } from '../config/index.ts'
import { createStandbyServer, type HttpServer } from '../http/index.ts'
import type { StorageOptions } from '../storage/index.ts'
import type { Log } from './log.ts'

/** Where a server stands by, and for whom. */
export interface StandbyPlace {
  /** Name of the machine whose server is active. */
  readonly active: string
  /** Where this one answers that it stands by. */
  readonly url: string
}

/** How the database of state is opened, and what this server does until it is the active one. */
export interface StandBy {
  readonly storage: Pick<StorageOptions, 'postgres'>
  /** Gives the address to listen on free. */
  end(): Promise<void>
}

/** While another server is active, answers that, on the address that this one will have. */
export function standBy(
  { storage, http }: Pick<Config, 'storage' | 'http'>,
  log: Log,
  {
    listen,
    onStandby,
    signal,
  }: {
    listen(server: Pick<HttpServer, 'listen'>): Promise<{ readonly url: string }>
    onStandby?: ((place: StandbyPlace) => void) | undefined
    signal?: AbortSignal | undefined
  },
): StandBy {
  const { url, caFile, silentSeconds } = storage.database
  if (url === null) return { storage: {}, async end() {} }
  let server: Pick<HttpServer, 'listen' | 'close'> | null = null

  async function answerStandby({ host }: { readonly host: string }): Promise<void> {
    server = createStandbyServer(http)
    const place = await listen(server)
    log.warn({ active: host, url: place.url }, 'another server is active on this database: this one stands by')
    onStandby?.({ active: host, url: place.url })
  }

  return {
    storage: {
      postgres: {
        url,
        caFile,
        silentMs: silentSeconds * 1000,
        ...(signal === undefined ? {} : { signal }),
        onStandby: answerStandby,
      },
    },
    async end() {
      const ending = server
      server = null
      await ending?.close()
    },
  }
}
