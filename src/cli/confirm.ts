import { createInterface } from 'node:readline/promises'
import { printable } from './printable.ts'

/** Asks a person on the terminal; anything but `y` or `yes` is a no, and so is a question that nobody can answer. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${printable(question)} [y/N] `)
    return /^y(?:es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
