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
    // The work must not outlive this process: whoever interrupts it waits for the child, and then nothing goes on.
    let isInterrupted = false
    const interrupt = (signal) => {
      if (!isInterrupted) process.stderr.write('interrupted, stopping ... ')
      isInterrupted = true
      child.kill(signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, interrupt)
    const settle = (ok) => {
      for (const signal of signals) process.off(signal, interrupt)
      if (isInterrupted) {
        process.stderr.write('stopped\n')
        process.exit(130)
      }
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
    child.on('close', (code) => settle(code === 0))
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
