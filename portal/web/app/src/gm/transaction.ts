// A transaction's digest and signature, made in the page.
import { hex, u64, unhex } from './bytes'
import type { Key } from './keyfile'
import { sign, tagged } from './sm'

export interface Unsigned {
  chain: string
  nonce: string
  valid_until: number
  payload: string
}

export interface Signed {
  sender: string
  nonce: string
  valid_until: number
  payload: string
  signature: string
}

// What is signed, and the transaction's name.
export function transactionDigest(transaction: Unsigned, sender: string): Uint8Array {
  const { chain, nonce, valid_until, payload } = transaction
  return tagged('heqi/transaction/1', [unhex(chain), unhex(sender), unhex(nonce), u64(valid_until), unhex(payload)])
}

export function signTransaction(transaction: Unsigned, key: Key): { signed: Signed; digest: string } {
  const digest = transactionDigest(transaction, key.public)
  const { nonce, valid_until, payload } = transaction
  const signature = sign(key.secret, digest)
  return { signed: { sender: key.public, nonce, valid_until, payload, signature }, digest: hex(digest) }
}
