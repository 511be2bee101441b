// Key files: a person's secret key under a password, opened in the page and kept in its memory only.
import { equal, hex, unhex, utf8 } from './bytes'
import { derive, gcmOpen, publicKey } from './sm'

export interface Key {
  name: string
  public: string
  secret: Uint8Array
}

export type KeyFault = 'malformed' | 'password'

interface KeyFile {
  format: string
  name: string
  public: string
  kdf: string
  iterations: number
  salt: string
  nonce: string
  cipher: string
}

function parse(json: string): KeyFile | null {
  try {
    const file = JSON.parse(json) as KeyFile
    const texts = [file.name, file.public, file.salt, file.nonce, file.cipher]
    const known = file.format === 'heqi-key-1' && file.kdf === 'pbkdf2-hmac-sm3'
    const bounded = Number.isInteger(file.iterations) && file.iterations >= 10_000 && file.iterations <= 2_000_000
    return known && bounded && texts.every((value) => typeof value === 'string') ? file : null
  } catch {
    return null
  }
}

// Opens the text of a key file; the name is authenticated with the key.
export async function open(json: string, password: string): Promise<Key | KeyFault> {
  const file = parse(json)
  if (!file) return 'malformed'
  try {
    const outer = await derive(utf8(password), unhex(file.salt), file.iterations)
    const secret = gcmOpen(outer, unhex(file.nonce), utf8(file.name), unhex(file.cipher))
    outer.fill(0)
    if (!secret) return 'password'
    if (secret.length !== 32 || !equal(utf8(publicKey(secret)), utf8(file.public))) return 'malformed'
    return { name: file.name, public: file.public, secret }
  } catch {
    return 'malformed'
  }
}

// Overwrites the key; copies that the engine made are out of reach.
export function forget(key: Key): void {
  key.secret.fill(0)
}

export function fingerprint(key: Key): string {
  return hex(unhex(key.public).slice(0, 8))
}
