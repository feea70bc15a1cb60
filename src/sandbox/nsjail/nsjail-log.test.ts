import { describe, expect, test } from 'vitest'
import { NsjailLog, withoutPlaces } from './nsjail-log.ts'

const start = `[I][2026-01-02T03:04:05+0000] Executing '/usr/bin/python3' for '[STANDALONE MODE]'\n`

function logOf(text: string): NsjailLog {
  const log = new NsjailLog()
  for (const part of text.match(/[^]{1,7}/g) ?? []) log.take(part)
  return log
}

describe('the log of nsjail', () => {
  test('tells how the first process ended, as an exit code or as 128 and the signal', () => {
    const line = (what: string): string => `${start}[I][2026-01-02T03:04:05+0000] pid=77 ([STANDALONE MODE]) ${what}\n`
    expect(logOf(line('exited with status: 159, (PIDs left: 0)')).exitCode()).toBe(159)
    expect(logOf(line('exited with status: 0, (PIDs left: 0)')).exitCode()).toBe(0)
    expect(logOf(line('terminated with signal: SIGKILL (9), (PIDs left: 0)')).exitCode()).toBe(137)
    expect(logOf(line('terminated with signal: SIGSYS (31), (PIDs left: 0)')).exitCode()).toBe(159)
    expect(logOf(start).exitCode()).toBeNull()
  })

  test('tells why there is no jail, without time and place', () => {
    const failure = [
      `[W][2026-01-02T03:04:05+0000][12] bool mnt::mountPt(mount_t*)():251 mount('/x' -> '/tmp//x'): No such file`,
      `[E][2026-01-02T03:04:05+0000][1] buildMountTree():385 Failed to mount mandatory point: '/x'`,
      `[F][2026-01-02T03:04:05+0000][1] runChild():548 Launching child process failed`,
    ]
    const said = logOf(`${start}${failure.join('\n')}\n`).complaints()
    expect(said).toContain("mount('/x' -> '/tmp//x'): No such file\nFailed to mount mandatory point: '/x'\n")
    expect(said).not.toContain('2026')
    expect(said.split('\n')).toHaveLength(3)
    const place = 'void config::LogHandler(google::protobuf::LogLevel, const char*, int, const std::string&)():288'
    expect(withoutPlaces(`[W][2026-01-02T03:04:05+0000][12] ${place} config.cc: 'no field (x):1 named y'`)).toBe(
      "config.cc: 'no field (x):1 named y'",
    )
    expect(logOf(start).complaints()).toBe('')
    const warning =
      '[W][2026-01-02T03:04:05+0000][1] seccompViolation():307 pid=77 committed a syscall/seccomp violation\n'
    expect(logOf(`${start}${warning}`).complaints()).toBe('')
  })

  test('keeps a bounded part of what is said, the last', () => {
    const log = new NsjailLog()
    for (let line = 0; line < 5000; line += 1) log.take(`[E][t][1] f():1 line ${String(line)}\n`)
    expect(log.complaints().length).toBeLessThan(16_384)
    expect(log.complaints()).toContain('line 4999')
  })
})
