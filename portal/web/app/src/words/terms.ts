// Words that arrive as data: kinds, statuses, uses, classes, roles.

type Pair = readonly [zh: string, en: string]

const KINDS: Record<string, Pair> = {
  source_registered: ['登记数据源', 'source registered'],
  rule_set: ['设置规则', 'rules set'],
  proposed: ['提案', 'proposed'],
  approved: ['批准', 'approved'],
  rejected: ['拒绝', 'rejected'],
  started: ['开始', 'started'],
  read: ['读取（承诺）', 'read (commitment)'],
  transferred: ['流转', 'transferred'],
  delivered: ['交付结果', 'delivered'],
  receipt: ['回执', 'receipt'],
  refused: ['拒绝的尝试', 'refused attempt'],
  member_added: ['成员变更', 'member added'],
  rule_revoked: ['撤销规则', 'rules revoked'],
  evidence_exported: ['导出证据', 'evidence exported'],
  cancelled: ['取消', 'cancelled'],
}

const STATUSES: Record<string, Pair> = {
  waiting: ['待批准', 'waiting'],
  running: ['执行中', 'running'],
  done: ['完成', 'done'],
  aborted: ['中止', 'aborted'],
  rejected: ['被拒绝', 'rejected'],
  cancelled: ['已取消', 'cancelled'],
  expired: ['已过期', 'expired'],
  approved: ['已批准', 'approved'],
}

const USES: Record<string, Pair> = {
  plaintext: ['明文', 'plaintext'],
  after_join: ['连接后', 'after join'],
  join_payload: ['连接附带', 'join payload'],
  after_group_by: ['分组后', 'after group-by'],
  after_aggregate: ['聚合后', 'after aggregate'],
  after_compare: ['比较后', 'after compare'],
  encrypted_only: ['仅密文', 'encrypted only'],
  program: ['用户程序', "user's program"],
}

const CLASSES: Record<string, Pair> = {
  identity: ['身份', 'identity'],
  health: ['健康', 'health'],
  income: ['收入', 'income'],
  civil: ['民政', 'civil'],
  person: ['个人', 'person'],
  general: ['一般', 'general'],
  unclassified: ['未分类', 'unclassified'],
}

const ROLES: Record<string, Pair> = {
  owner: ['数据所有者', 'owner'],
  analyst: ['分析员', 'analyst'],
  auditor: ['审计员', 'auditor'],
  administrator: ['管理员', 'administrator'],
  developer: ['开发者', 'developer'],
}

const TYPES: Record<string, Pair> = {
  int: ['整数', 'integer'],
  text: ['文本', 'text'],
  bool: ['真假', 'boolean'],
  date: ['日期', 'date'],
}

const GROUPS = { kind: KINDS, status: STATUSES, use: USES, class: CLASSES, role: ROLES, type: TYPES }

export type Group = keyof typeof GROUPS

export const CLASS_WORDS = ['identity', 'health', 'income', 'civil', 'person', 'general']

// `RuleSet` and `rule_set` are one word.
function plain(word: string): string {
  return word.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
}

export function term(group: Group, word: string, zh: boolean): string {
  const pair = GROUPS[group][plain(word)]
  return pair ? pair[zh ? 0 : 1] : word
}
