import { env } from 'node:process' // expect: mcpworks(no-process-env)

const { env: renamed } = process // expect: mcpworks(no-process-env)

export const first = process.env['HOME'] // expect: mcpworks(no-process-env)
export const second = globalThis.process.env['HOME'] // expect: mcpworks(no-process-env)
export const third = process['env']['HOME'] // expect: mcpworks(no-process-env)
export const all = [env, renamed, process.pid]
