import type { ContainmentCheck } from '../containment-check.ts'
import { after, beside, held, like } from './make-check.ts'

const nowhere = ['ENOENT', 'EACCES', 'EROFS'] as const

/** What executions could see of each other, at the same time or one after the other. */
export function siblingChecks(): ContainmentCheck[] {
  return [
    beside('siblings.files', 'see a file that a running sibling made', ['search', '$mark'], 'none'),
    beside(
      'siblings.code',
      'see a change that a running sibling made to its code',
      ['code', '$mark'],
      'as it was sent',
    ),
    beside(
      'siblings.named-memory',
      'see shared memory by name of a running sibling',
      ['find-named-memory', '$mark'],
      ...nowhere,
    ),
    beside(
      'siblings.abstract-socket',
      'reach an abstract socket of a running sibling',
      ['find-abstract', '$mark'],
      'EACCES',
    ),
    beside('siblings.lock-of-file', 'lock a file that a running sibling shares', ['lock-whole'], 'EPERM'),
    beside(
      'siblings.record-lock',
      'see a record lock of a running sibling on a shared file',
      ['find-record-lock'],
      'not seen',
    ),
    beside(
      'siblings.lease',
      'take a lease on a shared file, which tells when a sibling opens it',
      ['lease', 0],
      'EINVAL',
    ),
    beside('siblings.environment', 'see a variable of a running sibling', ['variable', 'LEFT'], 'not set'),
    beside(
      'siblings.signal',
      'signal a running sibling by its number on the host',
      ['kill', '$siblingPid', 0],
      'ESRCH',
      'EPERM',
    ),
    after('siblings.files-of-earlier', 'see a file of an earlier execution', 'none'),
    after('siblings.code-of-earlier', 'see a change that an earlier execution made to its code', 'as it was sent'),
    after('siblings.environment-of-earlier', 'see a variable of an earlier execution', 'not set'),
    after('siblings.random', 'draw the random number of a sibling', 'another'),
    after('siblings.hash-seed', 'share the seed of hashes with a sibling', 'another'),
    after('siblings.layout', 'share the layout of the address space with a sibling', 'another'),
    after('siblings.kernel-random', 'draw the random bytes of a sibling', 'another'),
    held('siblings.input-in-memory', "find a sibling's input in its own memory", 'python', 'not found'),
    held('siblings.input-in-memory', "find a sibling's input in its own memory", 'typescript', 'not found'),
    held('siblings.scratch-of-other', 'have the same file system at /tmp as a sibling', 'python', 'another'),
    held(
      'siblings.same-user',
      'be of the same user on the host as the server',
      'python',
      'another',
      like(/^the same, unprivileged$/, 'the same where the server is no root'),
    ),
  ]
}
