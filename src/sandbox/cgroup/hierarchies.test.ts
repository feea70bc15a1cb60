import { expect, test } from 'vitest'
import { parseHierarchies } from './hierarchies.ts'

const mount = (root: string, point: string, type: string, options: string, how = 'rw'): string =>
  `30 24 0:27 ${root} ${point} ${how},nosuid shared:9 - ${type} ${type} rw,${options}`
const found = (mounts: readonly string[], own: readonly string[], controllers: readonly string[] = []): object[] =>
  parseHierarchies(mounts.join('\n'), own.join('\n'), () => controllers).map((each) =>
    Object.assign(each, { controllers: [...each.controllers].join(' ') }),
  )

test('finds version 2 in the group of this process', () => {
  const mounts = [mount('/', '/sys/fs/cgroup', 'cgroup2', 'nsdelegate')]
  expect(found(mounts, ['0::/system.slice/mcpworks.service'], ['cpuset', 'cpu', 'io', 'memory', 'pids'])).toEqual([
    {
      version: 2,
      controllers: 'memory pids cpu',
      base: '/sys/fs/cgroup/system.slice/mcpworks.service',
      isReadOnly: false,
    },
  ])
})

test('takes the group above where the server was moved into a leaf', () => {
  const mounts = [mount('/', '/sys/fs/cgroup', 'cgroup2', 'nsdelegate')]
  const [only] = found(mounts, ['0::/system.slice/mcpworks.service/mcpworks-server'], ['memory'])
  expect(only).toMatchObject({ base: '/sys/fs/cgroup/system.slice/mcpworks.service' })
})

test('finds the controllers of version 1 beside a version 2 that has none of use', () => {
  const mounts = [
    mount('/', '/sys/fs/cgroup/unified', 'cgroup2', 'nsdelegate'),
    mount('/', '/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'cpu,cpuacct'),
    mount('/', '/sys/fs/cgroup/memory', 'cgroup', 'memory'),
    mount('/', '/sys/fs/cgroup/systemd', 'cgroup', 'xattr,name=systemd'),
  ]
  expect(found(mounts, ['4:memory:/a/b', '2:cpu,cpuacct:/', '1:name=systemd:/x', '0::/'], ['hugetlb'])).toEqual([
    { version: 1, controllers: 'cpu cpuacct', base: '/sys/fs/cgroup/cpu,cpuacct', isReadOnly: false },
    { version: 1, controllers: 'memory', base: '/sys/fs/cgroup/memory/a/b', isReadOnly: false },
  ])
})

test('knows the part of the tree that a container sees, and leaves out one that it is not in', () => {
  const mounts = [
    mount('/docker/1', '/sys/fs/cgroup/memory', 'cgroup', 'memory', 'ro'),
    mount('/docker/2', '/sys/fs/cgroup/pids', 'cgroup', 'pids'),
    mount('/', '/sys/fs/cgroup/cpu', 'cgroup', 'cpu'),
  ]
  expect(found(mounts, ['3:memory:/docker/1', '2:pids:/docker/1', '1:cpu:/../above'])).toEqual([
    { version: 1, controllers: 'memory', base: '/sys/fs/cgroup/memory', isReadOnly: true },
  ])
})

test('takes the mount that can be written to where a tree is mounted twice, and reads escaped paths', () => {
  const mounts = [
    mount('/', '/a', 'cgroup2', 'nsdelegate', 'ro'),
    mount('/', String.raw`/b\040c`, 'cgroup2', 'nsdelegate'),
  ]
  expect(found(mounts, ['0::/'], ['memory'])).toMatchObject([{ base: '/b c', isReadOnly: false }])
})
