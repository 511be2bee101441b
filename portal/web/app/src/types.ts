// What the portal's interface answers with; the crate portal-api holds the words' meaning.

export interface Org { id: string; name_zh: string; name_en: string }
export interface Me { person: string; org: Org; roles: string[]; chain: string; height: number; language: string }

export interface FaultView {
  code: string; number: string; title: string; title_zh: string; detail: string; party: string | null; step: string
  remedy: string; remedy_zh: string; message_zh: string; message_en: string
}

export interface Column {
  name: string; type: string; nullable: boolean; unique: boolean; min: string; max: string
  class: string | null; grade: number | null
}
export interface RuleView {
  column: string; party: string; purpose: string; uses: string[]; expires: number; runs: number
}
export interface RuleSetView {
  dataset: string; approval: string; min_group: number; holders: string[]; rules: RuleView[]
}
export interface Source {
  dataset: string; owner: string; title: string; kind: string; rows_bound: number; columns: Column[]
  rules: RuleSetView | null; own: boolean
}
export interface Catalogue { height: number; sources: Source[]; organisations: Org[]; purposes: string[] }
export interface FoundColumn { name: string; type: string; nulls: number; unique: boolean; min: string; max: string }
export interface SourceTest { rows: number; rows_bound: number; columns: FoundColumn[]; notes: string[] }

export interface MissingGrant {
  dataset: string; column: string; need: string; party: string; purpose: string; owner: string
  text_zh: string; text_en: string
}
export interface Check { allowed: boolean; explanation: unknown; missing: MissingGrant[]; fault: FaultView | null }

export interface Prepared {
  chain: string; nonce: string; valid_until: number; payload: string; summary_zh: string; summary_en: string
  subject: string; kind: string; job: string | null
}
export interface Submitted { digest: string; height: number; refusal: string | null; job: string | null }

export interface JobSummary {
  id: string; analyst: string; receiver: string; purpose: string; datasets: string[]; status: string
  proposed: number; expires: number; waits_for_me: boolean; party: boolean
}
export interface Approval {
  org: string; state: string; by_rule: boolean; sender: string | null; time: number | null; reason: string | null
}
export interface TimelineItem { kind: string; sender: string; height: number; time: number; transaction: string }
export interface Job extends JobSummary {
  sql: string | null; explanation: unknown; nodes: string[]; tier: string; approvals: Approval[]; attempt: number
  reason_zh: string | null; reason_en: string | null; timeline: TimelineItem[]; has_result: boolean
}
export interface Cell { value: string | null; suppressed: boolean }
export interface Answer { columns: string[]; rows: Cell[][] }
export interface ProgressEvent { status: string; step: string; percent: number; text_zh: string; text_en: string }

export interface VerifyStep { name: string; name_zh: string; ok: boolean; detail: string }
export interface Verdict {
  valid: boolean; anchored: boolean; genesis: string; steps: VerifyStep[]; first_broken: string | null
}
export interface EvidenceRecord {
  seq: number; kind: string; sender: string; attempt: number; height: number; time: number; transaction: string
  body: string; text_zh: string; text_en: string
}
export interface Evidence { job: string; records: EvidenceRecord[]; verdict: Verdict }

export interface Alarm {
  code: string; subject: string; severity: string; since: number
  text_zh: string; text_en: string; remedy_zh: string; remedy_en: string
}
export interface Alarms { looked: number; active: Alarm[] }

export interface Stats {
  datasets: { org: string; count: number }[]
  jobs: { status: string; count: number }[]
  uses: { receiver: string; dataset: string; purpose: string; runs: number }[]
  refused: { code: string; title_zh: string; title_en: string; count: number }[]
  columns: { class: string; grade: number; count: number }[]
  nodes: { org: string; reachable: boolean; height: number | null }[]
}

export interface Chain {
  name: string; genesis: string; height: number; time: number; transactions: number; epoch: number; engine: string
  validators: string[]; quorum: number
}
export interface BlockSummary { height: number; digest: string; time: number; proposer: string; transactions: number }
export interface BlockList { height: number; blocks: BlockSummary[] }
export interface TransactionSummary {
  digest: string; sender: string; kind: string; subject: string; refusal: string | null
}
export interface Block extends BlockSummary {
  parent: string; state_root: string; transactions_root: string; round: number; signers: string[]
  entries: TransactionSummary[]
}
export interface TransactionDetail extends TransactionSummary {
  height: number; index: number; time: number; sender_key: string; valid_until: number; payload_bytes: number
  signature: string
}
