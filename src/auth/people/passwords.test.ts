import { describe, expect, it } from 'vitest'
import { passwordProblem } from './password-rules.ts'
import { createPasswords } from './passwords.ts'

describe('hashing a password', () => {
  it('gives another argon2id hash each time, with the parameters in it, that fits that password only', async () => {
    const passwords = createPasswords()
    const [one, two] = await Promise.all([passwords.hash('three wet otters'), passwords.hash('three wet otters')])
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(two)
    expect(await passwords.verify('three wet otters', one)).toBe(true)
    expect(await passwords.verify('three wet otterS', one)).toBe(false)
    expect(await passwords.verify('three wet otters', null)).toBe(false)
    expect(await passwords.verify('three wet otters', one.slice(0, -1))).toBe(false)
    expect(await passwords.verify('three wet otters', '$2b$10$x')).toBe(false)
  })

  it('takes the two ways of typing one text for one password', async () => {
    const passwords = createPasswords()
    const hash = await passwords.hash('caf\u00e9 caf\u00e9 caf\u00e9')
    expect(await passwords.verify('cafe\u0301 cafe\u0301 cafe\u0301', hash)).toBe(true)
  })

  it('turns away what is too much at once, and works on', async () => {
    const passwords = createPasswords()
    const all = await Promise.allSettled(Array.from({ length: 70 }, () => passwords.verify('x', null)))
    const refused = all.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(4)
    expect(refused[0]).toMatchObject({ reason: { code: 'overloaded' } })
    expect(await passwords.verify('x', null)).toBe(false)
  })
})

describe('a password', () => {
  it.each(['three wet otters sing', 'Tr0ub4dor&3-and-more', 'пароль из нескольких слов', 'correct horse nine staples'])(
    'can be %j',
    (password) => {
      expect(passwordProblem(password, 'anna')).toBeNull()
    },
  )

  it.each([
    ['short', 'at least 12'],
    ['elevenchars', 'at least 12'],
    ['a'.repeat(201), 'at most 200'],
    ['aaaaaaaaaaaaaa', 'first ones guessed'],
    ['Password1234!', 'first ones guessed'],
    ['123456789012', 'first ones guessed'],
    ['qwertyuiop12', 'first ones guessed'],
    ['Correct-Horse-Battery-Staple', 'first ones guessed'],
    ['anna-anna-2026', 'more than the name'],
    ['three wet otters \ud800', 'Unicode'],
  ])('cannot be %j', (password, why) => {
    expect(passwordProblem(password, 'anna-anna')).toContain(why)
  })
})
