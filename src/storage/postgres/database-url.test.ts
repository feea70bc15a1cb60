import { describe, expect, it } from 'vitest'
import { parseDatabaseUrl } from './database-url.ts'

const address = (text: string) => {
  const parsed = parseDatabaseUrl(text)
  return parsed.ok ? parsed.address : parsed.problem
}

describe('a database URL', () => {
  it('names host, port, user, password and database', () => {
    expect(address('postgres://works:p%40ss%3Aword@db.example.org:6432/state')).toEqual({
      host: 'db.example.org',
      port: 6432,
      user: 'works',
      password: 'p@ss:word',
      database: 'state',
    })
    expect(address('postgresql://works@[::1]/state')).toMatchObject({ host: '::1', port: 5432, password: null })
  })

  it('may name the directory of a unix socket', () => {
    const there = { host: '/run/postgresql', user: 'works', database: 'state', port: 5432 }
    expect(address('postgres:///state?host=/run/postgresql&user=works')).toMatchObject(there)
    expect(address('postgres://works@%2Frun%2Fpostgresql/state')).toMatchObject(there)
  })

  it.each([
    ['', 'a URL such as'],
    ['mysql://a:b@c/d', 'a URL such as'],
    ['postgres://works:s3cret@db.example.org', 'names a host, a user and a database'],
    ['postgres://db.example.org/state', 'names a host, a user and a database'],
    ['postgres://works@db.example.org/state/more', 'names a host, a user and a database'],
    ['postgres://works:s3cret@db.example.org/state?sslmode=disable', 'only host, port and user'],
    ['postgres://works:s3cret@db.example.org/state?options=-c%20fsync%3Doff', 'only host, port and user'],
    ['postgres://works:s3cret%zz@db.example.org/state', 'percent'],
    ['postgres:///state?host=/run&user=works&port=0', 'port'],
  ])('is refused where it is not one: %s', (text, problem) => {
    const parsed = parseDatabaseUrl(text)
    expect(parsed).toEqual({ ok: false, problem: expect.stringContaining(problem) })
    expect(JSON.stringify(parsed)).not.toContain('s3cret')
  })
})
