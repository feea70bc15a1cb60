import { spawn } from 'node:child_process'

/** A stop with a sentence for the person at the terminal, instead of a stack trace. */
export class Stop extends Error {}

/**
 * Runs a program to its end, without a shell, keeping what it printed.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ ok: boolean, output: string }>} `ok` is false also when the program could not be started
 */
export function run(file, args, options = {}) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    // Ctrl-C reaches the child through the terminal; this process ends when the child has.
    const forward = (signal) => child.kill(signal)
    process.on('SIGTERM', forward)
    process.on('SIGINT', forward)
    const settle = (ok) => {
      process.off('SIGTERM', forward)
      process.off('SIGINT', forward)
      resolve({ ok, output })
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (chunk) => {
        output = (output + chunk).slice(-20_000)
      })
    }
    child.on('error', (error) => {
      output += error.message
      settle(false)
    })
    child.on('close', (code, signal) => {
      if (signal === 'SIGINT' || signal === 'SIGTERM') process.exit(130)
      settle(code === 0)
    })
  })
}

/**
 * One line on the error stream for work that takes over a second: what, and how long it took.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function progress(what, work) {
  const began = Date.now()
  process.stderr.write(`${what} ... `)
  try {
    const result = await work()
    process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1)} s\n`)
    return result
  } catch (error) {
    process.stderr.write('failed\n')
    throw error
  }
}
