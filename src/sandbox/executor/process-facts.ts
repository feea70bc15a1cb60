import { readFileSync } from 'node:fs'

/** What the kernel tells of one process, seen from outside of its jail. */
export interface ProcessFacts {
  /** Real, effective, saved and file-system user id, as numbers of this process's user namespace. */
  readonly uids: readonly number[]
  readonly gids: readonly number[]
  /** The five capability sets, as hexadecimal masks. */
  readonly capabilities: readonly string[]
  readonly noNewPrivs: boolean
  /** 2: a filter is on. */
  readonly seccompMode: number
  /** Number of filters; 0 where the kernel (before 5.9) does not tell. */
  readonly seccompFilters: number
  readonly threads: number
  /** False once its first thread has ended: the kernel then tells nothing of the memory in which others may go on. */
  readonly hasMemory: boolean
  /** Memory of its own, shared memory and page tables: what it costs the machine beyond files that others share. */
  readonly ownBytes: number
  /** Of `ownBytes`, what is mapped to no file. */
  readonly anonymousBytes: number
  /** Pages of files that are in memory for it, and perhaps for others as well. */
  readonly fileBytes: number
  /** The most so far of all that is in memory for it, files included. */
  readonly peakRssBytes: number
}

/** Reads `/proc/<pid>/status`; `null` once the process is gone. One read of about 1.5 kB, no more than 0.1 ms. */
export function processFacts(pid: number | 'self'): ProcessFacts | null {
  const text = readProc(`/proc/${String(pid)}/status`)
  if (text === null) return null
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    fields.set(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  const words = (name: string): number[] => (fields.get(name) ?? '').split(/\s+/).map(Number)
  const kibibytes = (name: string): number => Number.parseInt(fields.get(name) ?? '0', 10) * 1024
  return {
    uids: words('Uid'),
    gids: words('Gid'),
    capabilities: ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => fields.get(name) ?? ''),
    noNewPrivs: fields.get('NoNewPrivs') === '1',
    seccompMode: Number(fields.get('Seccomp') ?? 0),
    seccompFilters: Number(fields.get('Seccomp_filters') ?? 0),
    threads: Number(fields.get('Threads') ?? 0),
    hasMemory: fields.has('VmRSS'),
    ownBytes: kibibytes('RssAnon') + kibibytes('RssShmem') + kibibytes('VmSwap') + kibibytes('VmPTE'),
    anonymousBytes: kibibytes('RssAnon'),
    fileBytes: kibibytes('RssFile'),
    peakRssBytes: kibibytes('VmHWM'),
  }
}

/** Processor time of all threads, user and system, in milliseconds; `null` once the process is gone. Resolution 10 ms. */
export function processCpuMs(pid: number): number | null {
  const text = readProc(`/proc/${String(pid)}/stat`)
  if (text === null) return null
  // The name in parentheses may hold anything; the fields after the last parenthesis are numbers.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticksPerSecond = 100
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}

/** Bytes that system calls of all threads of a process, and of its children that have ended, read and wrote: of anything. */
export interface ProcessTransfer {
  readonly readBytes: number
  readonly writtenBytes: number
}

/** Reads `/proc/<pid>/io`; `null` once the process is gone, and where the kernel does not count or does not tell. */
export function processTransfer(pid: number): ProcessTransfer | null {
  const text = readProc(`/proc/${String(pid)}/io`)
  const [, read, written] = /^rchar: (\d+)\nwchar: (\d+)\n/.exec(text ?? '') ?? []
  return read === undefined || written === undefined ? null : { readBytes: Number(read), writtenBytes: Number(written) }
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
