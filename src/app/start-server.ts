import type { RunningApp, StartOptions } from './running-app.ts'

/**
 * Composes and starts everything; see `start` in start.ts. Loaded when it is called: commands that need another part of
 * this folder would each wait for the whole server to be loaded else.
 */
export async function start(options: StartOptions): Promise<RunningApp> {
  const { start: startAll } = await import('./start.ts')
  return await startAll(options)
}
