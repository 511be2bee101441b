// The matrix of rules loses nothing on its way to the ledger and back.
import { describe, expect, it } from 'vitest'
import { unhex } from '../gm/bytes'
import type { RuleSetView, Source } from '../types'
import { cellName, difference, draftOf, rulesOf } from './rules'

const SET: RuleSetView = {
  dataset: 'health/visits',
  approval: 'person',
  min_group: 5,
  holders: ['statistics', 'health'],
  rules: [
    {
      column: 'sbp',
      party: 'statistics',
      purpose: 'health-statistics',
      uses: ['after_compare', 'after_aggregate'],
      expires: 1_900_000_000_000,
      runs: 3,
    },
  ],
}
// SET as the ledger encodes it, made by an independent implementation.
const BODY =
  '0000000d6865616c74682f766973697473010000000500000002000000066865616c74680000000a7374617469737469637300000001000000037362700000000a73746174697374696373000000116865616c74682d73746174697374696373000000020405000001ba60d3380000000003'

function source(rules: RuleSetView | null): Source {
  return { dataset: 'health/visits', owner: 'health', title: '', kind: 'csv', rows_bound: 64, columns: [], rules, own: true }
}

describe('rules', () => {
  it('come back from the matrix as they were', () => {
    expect(rulesOf(draftOf(source(SET)), SET.dataset)).toEqual(SET)
  })
  it('start with a person deciding and nothing granted', () => {
    const fresh = rulesOf(draftOf(source(null)), SET.dataset)
    expect([fresh.approval, fresh.rules, fresh.holders]).toEqual(['person', [], ['health']])
  })
  it('vanish from an emptied cell', () => {
    const draft = draftOf(source(SET))
    const name = cellName('sbp', 'statistics', 'health-statistics')
    const cell = draft.cells[name]
    expect(cell).toBeDefined()
    if (cell) draft.cells[name] = { ...cell, uses: [] }
    expect(rulesOf(draft, SET.dataset).rules).toEqual([])
  })
  it('equal their encoding in any order, and no other', () => {
    expect(difference(SET, unhex(BODY))).toBeNull()
    expect(difference({ ...SET, min_group: 4 }, unhex(BODY))).toBe('rules')
    expect(difference({ ...SET, rules: [] }, unhex(BODY))).toBe('rules')
    const wider = SET.rules.map((rule) => ({ ...rule, uses: [...rule.uses, 'plaintext'] }))
    expect(difference({ ...SET, rules: wider }, unhex(BODY))).toBe('rules')
  })
})
