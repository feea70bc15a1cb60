import { processFacts } from './process-facts.ts'

/**
 * Makes a process that was started as root an unprivileged one for good; leaves any other as it is. bubblewrap run by
 * root keeps kernel user id 0 inside the jail, so this comes before any jail.
 * @throws Error where afterwards any id is still 0 or any capability is left
 */
export function dropPrivileges(uid: number, gid: number): void {
  if (process.getuid?.() === 0) {
    process.setgroups?.([])
    process.setgid?.(gid)
    process.setuid?.(uid)
  }
  const facts = processFacts('self')
  if (facts === null) throw new Error('/proc cannot be read, so nothing is known of the own privileges')
  // The executor has no use for any, and a server with ambient capabilities would hand them on.
  const [, permitted, effective, , ambient] = facts.capabilities
  if ([permitted, effective, ambient].some((set) => !/^0+$/.test(set ?? '')))
    throw new Error('the executor holds capabilities; start the server without them')
  if (facts.uids.some((id) => id === 0)) throw new Error('the executor could not leave user id 0')
}
