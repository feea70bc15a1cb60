import { describe, expect, it } from 'vitest'
import { completeLockFile, lockFileProblems, type LockFile } from './lock-file.ts'

function lockFile(): LockFile {
  return {
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.0.0',
        integrity: 'sha512-a',
        dev: true,
        optionalDependencies: {
          'tool-linux-x64-gnu': '1.0.0',
          'tool-linux-x64-musl': '1.0.0',
          'tool-darwin-arm64': '1.0.0',
        },
      },
      'node_modules/tool/node_modules/tool-linux-x64-gnu': {
        version: '1.0.0',
        integrity: 'sha512-b',
        os: ['linux'],
        cpu: ['x64'],
      },
    },
  }
}

describe('the lock file', () => {
  it('is refused when an optional package of another platform has no entry', () => {
    expect(lockFileProblems(lockFile())).toEqual([
      'tool-linux-x64-musl: named as optional, but not in the lock file',
      'tool-darwin-arm64: named as optional, but not in the lock file',
    ])
  })

  it('is completed with entries that say their platform', () => {
    const lock = lockFile()
    expect(completeLockFile(lock)).toEqual(['tool-linux-x64-musl', 'tool-darwin-arm64'])
    expect(lockFileProblems(lock)).toEqual([])
    expect(lock.packages['node_modules/tool-linux-x64-musl']).toEqual({
      version: '1.0.0',
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
      optional: true,
      dev: true,
    })
  })

  it('is not completed with a package that the product runs on', () => {
    const lock = lockFile()
    delete lock.packages['node_modules/tool/node_modules/tool-linux-x64-gnu']
    expect(() => completeLockFile(lock)).toThrow('tool-linux-x64-gnu is needed here')
  })

  it('is refused when a package that is installed here has no digest', () => {
    const lock = lockFile()
    delete lock.packages['node_modules/tool']?.integrity
    completeLockFile(lock)
    expect(lockFileProblems(lock)).toEqual(['node_modules/tool: no digest'])
  })
})
