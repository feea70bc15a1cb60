import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { jailProfile } from '../profile/jail-profile.ts'

/**
 * Makes the directory that is the root of every jail of one runtime: empty files and directories to mount on, and links.
 * It is only ever mounted read-only, and holds nothing of any call.
 */
export function makeRootSkeleton(directory: string, layout: RuntimeLayout, withProcfs: boolean): void {
  const at = (path: string): string => `${directory}${path}`
  const place = (host: string, path: string): void => {
    if (statSync(host).isDirectory()) return void mkdirSync(at(path), { recursive: true })
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), '')
  }
  mkdirSync(directory, { recursive: true })
  for (const path of ['/dev', ...Object.keys(jailProfile.tmpfs), ...(withProcfs ? ['/proc'] : [])])
    mkdirSync(at(path), { recursive: true })
  for (const [host, path] of layout.binds) place(host, path)
  for (const [target, path] of layout.links) {
    mkdirSync(dirname(at(path)), { recursive: true })
    symlinkSync(target, at(path))
  }
}

/** Makes a directory of empty files, one for each device, to mount them on. Bound to /dev, it keeps runtimes from adding their own. */
export function makeDeviceDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true })
  for (const device of jailProfile.devices) writeFileSync(`${directory}/${deviceName(device)}`, '')
}

/** `null` for `/dev/null`. */
export function deviceName(device: string): string {
  return device.slice('/dev/'.length)
}
