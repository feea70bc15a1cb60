import { readFileSync } from 'node:fs'

const leastShare = 0.1

/** Whether a tenth of the machine's memory could still be had without swapping. `true` where the kernel does not tell. */
export function hasRoom(): boolean {
  const text = readFileSync('/proc/meminfo', 'latin1')
  const total = Number(/^MemTotal:\s+(\d+)/m.exec(text)?.[1] ?? 0)
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(text)?.[1] ?? total)
  return available >= total * leastShare
}
