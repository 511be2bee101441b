// What a transaction carries, decoded in the page, so that a person signs what is shown and not what a node says.
import { hex, utf8 } from './bytes'
import { tagged } from './sm'
import { Reader, decode } from './wire'

export const KINDS = [
  'source_registered', 'rule_set', 'proposed', 'approved', 'rejected', 'started', 'read', 'transferred', 'delivered',
  'receipt', 'refused', 'member_added', 'rule_revoked', 'evidence_exported', 'cancelled',
] as const

export type Kind = (typeof KINDS)[number]

export const USES = [
  'plaintext', 'after_join', 'join_payload', 'after_group_by', 'after_aggregate', 'after_compare', 'encrypted_only',
  'program',
] as const

export type Use = (typeof USES)[number]

// Threat tiers, by their tag.
const TIERS = ['B', 'C', 'D', 'A', 'B+'] as const

export interface Entry {
  subject: string
  kind: Kind
  attempt: number
  parties: string[]
  expires: number
  body: Uint8Array
}

// One fact of a body, by the word that names it.
export type Fact = [name: string, value: string]

function kind(from: Reader): Kind {
  const word = KINDS[from.u8() - 1]
  if (!word) throw new Error('an unknown kind of entry')
  return word
}

export function readEntry(payload: Uint8Array): Entry {
  return decode(payload, (from) => ({
    subject: hex(from.take(32)),
    kind: kind(from),
    attempt: from.u32(),
    parties: from.list(() => from.text()),
    expires: from.u64(),
    body: from.counted(),
  }))
}

// The subject that a data set's entries stand under.
export function datasetSubject(dataset: string): string {
  return hex(tagged('heqi/dataset/1', [utf8(dataset)]))
}

export interface Proposal {
  readers: number
  analyst: string
  receiver: string
  nodes: string[]
  purpose: string
  datasets: string[]
  tier: string
}

export function readProposal(body: Uint8Array): Proposal {
  return decode(body, (from) => {
    const readers = from.list(() => {
      from.take(64)
      return from.counted()
    }).length
    from.take(12)
    from.counted()
    return {
      readers,
      analyst: from.text(),
      receiver: from.text(),
      nodes: from.list(() => from.text()),
      purpose: from.text(),
      datasets: from.list(() => from.text()),
      tier: TIERS[from.u8()] ?? '?',
    }
  })
}

export interface Rule {
  column: string
  party: string
  purpose: string
  uses: string[]
  expires: number
  runs: number
}

export interface RuleSet {
  dataset: string
  approval: 'auto' | 'person'
  min_group: number
  holders: string[]
  rules: Rule[]
}

export function readRules(body: Uint8Array): RuleSet {
  return decode(body, (from) => ({
    dataset: from.text(),
    approval: from.bool() ? 'person' : 'auto',
    min_group: from.u32(),
    holders: from.list(() => from.text()),
    rules: from.list(() => ({
      column: from.text(),
      party: from.text(),
      purpose: from.text(),
      uses: from.list(() => USES[from.u8()] ?? '?'),
      expires: from.u64(),
      runs: from.u32(),
    })),
  }))
}

function proposalFacts(body: Uint8Array): Fact[] {
  const told = readProposal(body)
  return [
    ['analyst', told.analyst],
    ['receiver', told.receiver],
    ['purpose', told.purpose],
    ['datasets', told.datasets.join(', ')],
    ['computeNodes', told.nodes.join(', ')],
    ['tier', told.tier],
    ['sealedTo', String(told.readers)],
  ]
}

function ruleFacts(body: Uint8Array): Fact[] {
  const told = readRules(body)
  const rules = told.rules.map(
    (rule): Fact => ['grant', `${rule.column} → ${rule.party} / ${rule.purpose}: ${rule.uses.join(', ') || '–'}`],
  )
  return [
    ['dataset', told.dataset],
    ['approvalMode', told.approval],
    ['minGroup', String(told.min_group)],
    ['shareHolders', told.holders.join(', ')],
    ...rules,
  ]
}

// A registration ends with columns and classes; what names the source comes first and is all that is shown here.
function sourceFacts(body: Uint8Array): Fact[] {
  const from = new Reader(body)
  return [['dataset', from.text()], ['title', from.text()], ['sourceKind', from.text()], ['rowsBound', String(from.u32())]]
}

// What a body says, in the words of the dictionary; throws when the body is not what its kind demands.
export function facts(entry: Entry): Fact[] {
  switch (entry.kind) {
    case 'proposed':
      return proposalFacts(entry.body)
    case 'rule_set':
      return ruleFacts(entry.body)
    case 'source_registered':
      return sourceFacts(entry.body)
    case 'approved':
      return decode(entry.body, (from): Fact[] => {
        const mode = from.bool() ? 'auto' : 'person'
        return [['approvalMode', mode], ['rulesDigest', hex(from.take(32))]]
      })
    case 'rejected':
    case 'cancelled':
      return decode(entry.body, (from): Fact[] => [['reason', from.text()]])
    case 'rule_revoked':
      return decode(entry.body, (from): Fact[] => [['dataset', from.text()]])
    default:
      return []
  }
}
