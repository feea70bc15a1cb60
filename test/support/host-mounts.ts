import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** What is mounted where this process is, without the disks that tests mount in temporary directories of theirs. */
export function hostMounts(): string[] {
  const ofTest = new RegExp(`${tmpdir()}/mcpworks-[a-z]+-`)
  return readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .filter((line) => !ofTest.test(line))
}
