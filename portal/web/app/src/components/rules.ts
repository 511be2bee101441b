// Rules as the matrix edits them: one cell a column, party and purpose.
import { readRules } from '../gm/entry'
import type { RuleSetView, RuleView, Source } from '../types'

const YEAR = 365 * 24 * 3_600_000

export interface Draft {
  approval: string
  min_group: number
  holders: string[]
  expires: number
  runs: number
  // By `cellName`.
  cells: Record<string, RuleView>
}

export function cellName(column: string, party: string, purpose: string): string {
  return JSON.stringify([column, party, purpose])
}

// Without rules nothing is granted: not even that another node holds shares.
export function draftOf(source: Source): Draft {
  const rules = source.rules
  const cells = Object.fromEntries((rules?.rules ?? []).map((rule) => [cellName(rule.column, rule.party, rule.purpose), rule]))
  return {
    approval: rules?.approval ?? 'person',
    min_group: rules?.min_group ?? 5,
    holders: rules?.holders ?? [source.owner],
    expires: rules?.rules[0]?.expires ?? Date.now() + YEAR,
    runs: rules?.rules[0]?.runs ?? 0,
    cells,
  }
}

// Every cell with a use becomes a rule; all end at one time, so that the whole set is read at a glance.
export function rulesOf(draft: Draft, dataset: string): RuleSetView {
  const { approval, min_group, holders, expires, runs } = draft
  const granted = Object.values(draft.cells).filter((rule) => rule.uses.length > 0)
  const rules = granted.map(({ column, party, purpose, uses }) => ({ column, party, purpose, uses, expires, runs }))
  return { dataset, approval, min_group, holders, rules }
}

// One text for one meaning, whatever the order.
function plain(set: RuleSetView): string {
  const rules = set.rules.map((rule) => JSON.stringify([rule.column, rule.party, rule.purpose, [...rule.uses].sort(), rule.expires, rule.runs]))
  return JSON.stringify([set.dataset, set.approval, set.min_group, [...set.holders].sort(), rules.sort()])
}

// What differs between the rules that were meant and the bytes to be signed, if something does.
export function difference(meant: RuleSetView, body: Uint8Array): string | null {
  return plain(readRules(body)) === plain(meant) ? null : 'rules'
}
