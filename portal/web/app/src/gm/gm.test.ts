// Vectors: the standards' own, and values made by an independent implementation of the ledger's formats.
import { describe, expect, it } from 'vitest'
import { hex, unhex, utf8 } from './bytes'
import { datasetSubject, facts, readEntry, readProposal, readRules } from './entry'
import { open } from './keyfile'
import { derive, digest, gcmOpen, publicKey, sign, verifies } from './sm'
import { signTransaction, transactionDigest } from './transaction'
import { Reader } from './wire'

const FILE = {
  format: 'heqi-key-1',
  name: 'statistics/analyst',
  public:
    'f0f29607b64141c3bc99e49af86d46c43b3cca7d8eea740875c066477c551b71c537c96b9cfb713535537b65aea3cd3a53599d709bc98792cdb251861e840774',
  kdf: 'pbkdf2-hmac-sm3',
  iterations: 10000,
  salt: '000102030405060708090a0b0c0d0e0f',
  nonce: '000102030405060708090a0b',
  cipher:
    '15fb35460c25967a4e3e4cae3822380a0e5ae02be509f4d5a043721f1878848364b8297bedf1d118718f1d80c60c9159',
}
const SECRET = '90e8e7722b6cb06ac5447d78a7afe2a058e629fa3e32465af6c7852e0377e27c'
const ENTRY =
  '0707070707070707070707070707070707070707070707070707070707070707' +
  '050000000000000002000000066865616c74680000000a73746174697374696373000001ba60d338000000000d00000009e4b88de5908ce6848f'
const DIGEST = '5eee2211ea2794a5ee9fb7ed73397da132464d2c9209903e982995bf2a758133'
const SIGNATURE =
  '0b99e0378a825ed8d976e01cf9dd752901d0405741551b2dba4677aeb0291925d91f281c588bf188ea053aea8e06ce476ca2116bc17e4839c604b974d81cd8c0'
const RULES =
  '0000000d6865616c74682f766973697473010000000500000002000000066865616c74680000000a7374617469737469637300000001000000037362700000000a73746174697374696373000000116865616c74682d73746174697374696373000000020405000001ba60d3380000000003'
const PROPOSAL =
  `00000001${'09'.repeat(64)}00000003616263${'00'.repeat(12)}000000047778797a` +
  '00000012737461746973746963732f616e616c7973740000000a737461746973746963730000000300000005636976696c000000066865616c74680000000a73746174697374696373000000116865616c74682d73746174697374696373000000010000000d6865616c74682f76697369747300'

const transaction = { chain: '01'.repeat(32), nonce: '02'.repeat(16), valid_until: 99, payload: ENTRY }

describe('algorithms', () => {
  it('SM3 gives the vector of GB/T 32905', () => {
    expect(hex(digest(utf8('abc')))).toBe('66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0')
  })
  it('PBKDF2-HMAC-SM3 equals OpenSSL', async () => {
    const key = await derive(utf8('password'), utf8('salt'), 10000)
    expect(hex(key)).toBe('738c8c432372d98a73350bc252209e4c')
  })
  it('SM4-GCM opens the vector of RFC 8998 and nothing that was changed', () => {
    const key = unhex('0123456789abcdeffedcba9876543210')
    const nonce = unhex('00001234567800000000abcd')
    const aad = unhex('feedfacedeadbeeffeedfacedeadbeefabaddad2')
    const sealed = unhex(
      '17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15' +
        'a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec',
    )
    const plain = ['aa', 'bb', 'cc', 'dd', 'ee', 'ff', 'ee', 'aa'].map((byte) => byte.repeat(8)).join('')
    expect(hex(gcmOpen(key, nonce, aad, sealed) ?? new Uint8Array())).toBe(plain)
    for (const at of [0, 63, 64, 79]) {
      const changed = sealed.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(gcmOpen(key, nonce, aad, changed)).toBeNull()
    }
    expect(gcmOpen(key, nonce, aad.slice(1), sealed)).toBeNull()
    expect(gcmOpen(key, nonce, aad, sealed.slice(0, 15))).toBeNull()
  })
  it('SM2 verifies a foreign signature and its own', () => {
    expect(publicKey(unhex(SECRET))).toBe(FILE.public)
    expect(verifies(FILE.public, unhex(DIGEST), SIGNATURE)).toBe(true)
    const mine = sign(unhex(SECRET), unhex(DIGEST))
    expect(mine).toMatch(/^[0-9a-f]{128}$/)
    expect(verifies(FILE.public, unhex(DIGEST), mine)).toBe(true)
    expect(verifies(FILE.public, unhex('00'.repeat(32)), mine)).toBe(false)
  })
})

describe('key files', () => {
  it('open with their password only, and not when edited', async () => {
    const key = await open(JSON.stringify(FILE), '口令 1')
    if (typeof key === 'string') throw new Error(key)
    expect([key.name, key.public, hex(key.secret)]).toEqual([FILE.name, FILE.public, SECRET])
    expect(await open(JSON.stringify(FILE), '口令 2')).toBe('password')
    expect(await open(JSON.stringify({ ...FILE, name: 'statistics/other' }), '口令 1')).toBe('password')
    expect(await open(JSON.stringify({ ...FILE, public: '00'.repeat(64) }), '口令 1')).toBe('malformed')
    expect(await open(JSON.stringify({ ...FILE, iterations: 1 }), '口令 1')).toBe('malformed')
    expect(await open('{', '口令 1')).toBe('malformed')
  })
})

describe('transactions', () => {
  it('are decoded and named as the ledger does', () => {
    const entry = readEntry(unhex(ENTRY))
    expect([entry.kind, entry.subject, entry.parties]).toEqual(['rejected', '07'.repeat(32), ['health', 'statistics']])
    expect(entry.expires).toBe(1_900_000_000_000)
    expect(facts(entry)).toEqual([['reason', '不同意']])
    expect(hex(transactionDigest(transaction, FILE.public))).toBe(DIGEST)
    expect(datasetSubject('health/visits')).toBe('30787db92f0a24d8003228455f8479461a34c67d926d3d828a5e38cff1fdc838')
  })
  it('are signed over that name', async () => {
    const key = await open(JSON.stringify(FILE), '口令 1')
    if (typeof key === 'string') throw new Error(key)
    const { signed, digest: name } = signTransaction(transaction, key)
    expect(name).toBe(DIGEST)
    expect(verifies(signed.sender, unhex(name), signed.signature)).toBe(true)
  })
  it('refuse bytes cut, added or unknown', () => {
    const bytes = unhex(ENTRY)
    for (let cut = 0; cut < bytes.length; cut += 1) expect(() => readEntry(bytes.slice(0, cut))).toThrow()
    expect(() => readEntry(unhex(`${ENTRY}00`))).toThrow()
    const unknown = bytes.slice()
    unknown[32] = 16
    expect(() => readEntry(unknown)).toThrow()
    expect(() => new Reader(unhex('ffffffff')).list(() => 0)).toThrow()
  })
  it('tell their bodies', () => {
    const rules = readRules(unhex(RULES))
    expect(rules.rules).toEqual([
      {
        column: 'sbp',
        party: 'statistics',
        purpose: 'health-statistics',
        uses: ['after_aggregate', 'after_compare'],
        expires: 1_900_000_000_000,
        runs: 3,
      },
    ])
    expect([rules.dataset, rules.approval, rules.min_group]).toEqual(['health/visits', 'person', 5])
    const proposal = readProposal(unhex(PROPOSAL))
    expect(proposal).toEqual({
      readers: 1,
      analyst: 'statistics/analyst',
      receiver: 'statistics',
      nodes: ['civil', 'health', 'statistics'],
      purpose: 'health-statistics',
      datasets: ['health/visits'],
      tier: 'B',
    })
  })
})
