// SM2, SM3 and SM4 as the ledger uses them: tagged digests, signatures, PBKDF2-HMAC-SM3 and SM4-GCM over the library.
import { sm2, sm3, sm4 } from 'sm-crypto-v2'
import { concat, equal, hex, u64, unhex, utf8 } from './bytes'

export function digest(bytes: Uint8Array): Uint8Array {
  return unhex(sm3(bytes))
}

// SM3 over the domain and the parts, each preceded by its length.
export function tagged(domain: string, parts: Uint8Array[]): Uint8Array {
  const pieces = [utf8(domain), ...parts].flatMap((part) => [u64(part.length), part])
  return digest(concat(...pieces))
}

export function hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return unhex(sm3(bytes, { key, mode: 'hmac' }))
}

// PBKDF2-HMAC-SM3, its first 16 bytes; lets the page breathe now and then.
export async function derive(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
  let step = hmac(password, concat(salt, new Uint8Array([0, 0, 0, 1])))
  const out = step.slice()
  for (let done = 1; done < iterations; done += 1) {
    step = hmac(password, step)
    for (let i = 0; i < out.length; i += 1) out[i] = (out[i] ?? 0) ^ (step[i] ?? 0)
    if (done % 4000 === 0) await new Promise((resolve) => setTimeout(resolve, 0))
  }
  return out.slice(0, 16)
}

function block(key: Uint8Array, input: Uint8Array): Uint8Array {
  return sm4.encrypt(input, key, { mode: 'ecb', padding: 'none', output: 'array' })
}

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes) || '0'}`)
}

function bytes16(value: bigint): Uint8Array {
  return unhex(value.toString(16).padStart(32, '0'))
}

// Product in GF(2^128) with GCM's order of bits (NIST SP 800-38D, 6.3).
function times(x: bigint, y: bigint): bigint {
  const reduce = 0xe1n << 120n
  let product = 0n
  let v = y
  for (let bit = 127n; bit >= 0n; bit -= 1n) {
    if ((x >> bit) & 1n) product ^= v
    v = v & 1n ? (v >> 1n) ^ reduce : v >> 1n
  }
  return product
}

function ghash(key: bigint, aad: Uint8Array, cipher: Uint8Array): bigint {
  let sum = 0n
  for (const part of [aad, cipher, concat(u64(aad.length * 8), u64(cipher.length * 8))]) {
    for (let at = 0; at < part.length; at += 16) {
      const padded = new Uint8Array(16)
      padded.set(part.subarray(at, at + 16))
      sum = times(sum ^ number(padded), key)
    }
  }
  return sum
}

// Opens SM4-GCM with a 12-byte nonce and the 16-byte tag at the end; none when it does not verify.
export function gcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (nonce.length !== 12 || sealed.length < 16) return null
  const cipher = sealed.slice(0, sealed.length - 16)
  const tag = sealed.slice(sealed.length - 16)
  const counter = (value: number) => concat(nonce, u64(value).slice(4))
  const hashKey = number(block(key, new Uint8Array(16)))
  const expected = ghash(hashKey, aad, cipher) ^ number(block(key, counter(1)))
  if (!equal(bytes16(expected), tag)) return null
  const plain = cipher.slice()
  for (let at = 0; at < plain.length; at += 16) {
    const pad = block(key, counter(2 + at / 16))
    for (let i = 0; i < 16 && at + i < plain.length; i += 1) plain[at + i] = (plain[at + i] ?? 0) ^ (pad[i] ?? 0)
  }
  return plain
}

// The public key x‖y of a secret key, in hex.
export function publicKey(secret: Uint8Array): string {
  return sm2.getPublicKeyFromPrivateKey(hex(secret)).replace(/^04/, '')
}

// SM2 with SM3 and the default identifier (GM/T 0009): r‖s in hex.
export function sign(secret: Uint8Array, message: Uint8Array): string {
  return sm2.doSignature(message, hex(secret), {
    hash: true,
    publicKey: `04${publicKey(secret)}`,
    userId: '1234567812345678',
  })
}

export function verifies(key: string, message: Uint8Array, signature: string): boolean {
  return sm2.doVerifySignature(message, signature, `04${key}`, { hash: true, userId: '1234567812345678' })
}
