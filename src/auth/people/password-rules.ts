/** Fewest characters of a password. */
export const minPasswordLength = 12

/** Most characters: hashing takes longer for more, and nobody types more. */
const maxPasswordLength = 200

/** What the commonest long passwords are made of, once digits and signs around them are taken off. */
const common: ReadonlySet<string> = new Set([
  'password',
  'passwordpassword',
  'passphrase',
  'qwerty',
  'qwertyuiop',
  'qwertyuiopasdfghjkl',
  'qwertyqwerty',
  'qazwsxedc',
  'qazwsxedcrfv',
  'asdfghjkl',
  'zxcvbnm',
  'letmein',
  'letmeinplease',
  'iloveyou',
  'welcome',
  'administrator',
  'admin',
  'adminadmin',
  'changeme',
  'changemeplease',
  'secret',
  'supersecret',
  'topsecret',
  'football',
  'baseball',
  'superman',
  'sunshine',
  'princess',
  'dragon',
  'monkey',
  'trustno',
  'default',
  'computer',
  'internet',
  'correcthorsebatterystaple',
  'mcpworks',
])

/**
 * Why a password is not taken, as a sentence; `null` where it is. Asks for length and refuses what is guessed first;
 * does not ask for kinds of characters (NIST SP 800-63B section 3.1.1.2).
 */
export function passwordProblem(password: string, userName: string): string | null {
  const characters = Array.from(password)
  if (characters.length < minPasswordLength) return `A password has at least ${minPasswordLength} characters.`
  if (characters.length > maxPasswordLength) return `A password has at most ${maxPasswordLength} characters.`
  if (!password.isWellFormed()) return 'A password is Unicode text.'
  const core = password.toLowerCase().replace(/[^a-z]+/g, '')
  const isNumberOnly = core === '' && /^[\d\s.-]+$/.test(password)
  if (new Set(characters).size < 5 || isNumberOnly || common.has(core))
    return 'That password is among the first ones guessed. Take several words.'
  if (core.includes(userName.replaceAll(/[^a-z]+/g, '')) && core.length - userName.length < 6)
    return 'A password is more than the name with something added.'
  return null
}
