// Rules of a data set: who approves, how small a group may be, and the matrix of columns, parties and uses.
import { App as Notices, Button, Drawer, Form, Input, InputNumber, Radio, Select, Table } from 'antd'
import { useState } from 'react'
import { type Fault, post } from '../api'
import { USES, datasetSubject } from '../gm/entry'
import { asFault } from '../load'
import type { Catalogue, Prepared, Source } from '../types'
import { useLanguage } from '../words/language'
import { FaultAlert } from './FaultAlert'
import { useSign } from './Signer'
import { type Draft, cellName, difference, draftOf, rulesOf } from './rules'

interface Props { source: Source; catalogue: Catalogue; close: () => void; done: () => void }

export function RulesDrawer({ source, catalogue, close, done }: Props) {
  const { t } = useLanguage()
  const sign = useSign()
  const { message } = Notices.useApp()
  const orgs = catalogue.organisations.map((org) => org.id)
  const [draft, setDraft] = useState<Draft>(() => draftOf(source))
  const [purpose, setPurpose] = useState(catalogue.purposes[0] ?? '*')
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState(false)
  const change = (part: Partial<Draft>) => setDraft((last) => ({ ...last, ...part }))

  const saveRules = async () => {
    setBusy(true)
    setFault(null)
    try {
      const meant = rulesOf(draft, source.dataset)
      const prepare = () => post<Prepared>('/api/rules/prepare', meant)
      const check = (entry: { body: Uint8Array }) => difference(meant, entry.body)
      const written = await sign({ prepare, kind: 'rule_set', subject: datasetSubject(source.dataset), check })
      if (written) {
        void message.success(`${t('rulesSaved')} · ${t('executed', { height: written.height })}`)
        done()
      }
    } catch (why) {
      setFault(asFault(why))
    } finally {
      setBusy(false)
    }
  }
  const save = <Button type="primary" loading={busy} onClick={() => void saveRules()} data-testid="rules-save">{t('saveRules')}</Button>
  return (
    <Drawer open width={1080} title={`${t('rules')} · ${source.dataset}`} extra={save} onClose={close} data-testid="rules-drawer">
      <div className="page-stack">
        <FaultAlert fault={fault} />
        <Whole draft={draft} change={change} orgs={orgs} />
        <label>
          {t('purpose')}{' '}
          <Input value={purpose} list="rule-purposes" style={{ width: 260 }} onChange={(event) => setPurpose(event.target.value.trim())} data-testid="rules-purpose" />
          <datalist id="rule-purposes">
            {['*', ...catalogue.purposes].map((word) => <option key={word} value={word} />)}
          </datalist>
        </label>
        {purpose && <Matrix source={source} orgs={orgs} purpose={purpose} draft={draft} change={change} />}
      </div>
    </Drawer>
  )
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function Whole({ draft, change, orgs }: { draft: Draft; change: (part: Partial<Draft>) => void; orgs: string[] }) {
  const { t } = useLanguage()
  const setDay = (text: string) => {
    const end = Date.parse(`${text}T23:59:59Z`)
    if (!Number.isNaN(end)) change({ expires: end })
  }
  return (
    <Form layout="vertical">
      <Form.Item label={t('approvalMode')}>
        <Radio.Group value={draft.approval} onChange={(event) => change({ approval: String(event.target.value) })} data-testid="rules-approval">
          <Radio value="auto">{t('auto')}</Radio>
          <Radio value="person">{t('person')}</Radio>
        </Radio.Group>
      </Form.Item>
      <Form.Item label={t('shareHolders')}>
        <Select mode="multiple" value={draft.holders} options={orgs.map((value) => ({ value, label: value }))} onChange={(holders: string[]) => change({ holders })} data-testid="rules-holders" />
      </Form.Item>
      <Form.Item label={t('minGroup')}>
        <InputNumber min={1} max={100000} value={draft.min_group} onChange={(value) => change({ min_group: value ?? 5 })} data-testid="rules-min-group" />
      </Form.Item>
      <Form.Item label={t('expiresOn')}>
        <Input type="date" style={{ width: 180 }} value={day(draft.expires)} onChange={(event) => setDay(event.target.value)} data-testid="rules-expires" />
      </Form.Item>
      <Form.Item label={t('runsAllowed')}>
        <InputNumber min={0} max={1_000_000} value={draft.runs} onChange={(value) => change({ runs: value ?? 0 })} data-testid="rules-runs" />
      </Form.Item>
    </Form>
  )
}

interface MatrixProps { source: Source; orgs: string[]; purpose: string; draft: Draft; change: (part: Partial<Draft>) => void }

function Matrix({ source, orgs, purpose, draft, change }: MatrixProps) {
  const { t, term } = useLanguage()
  const options = USES.map((value) => ({ value, label: term('use', value) }))
  const names = ['*', ...source.columns.map((column) => column.name)]
  const set = (column: string, party: string, uses: string[]) => {
    const rule = { column, party, purpose, uses, expires: draft.expires, runs: draft.runs }
    change({ cells: { ...draft.cells, [cellName(column, party, purpose)]: rule } })
  }
  const columns = [
    { title: t('column'), dataIndex: 'name', fixed: 'left' as const, width: 150, render: (name: string) => (name === '*' ? t('allColumns') : name) },
    ...orgs.map((party) => ({
      title: party,
      key: party,
      render: (_: unknown, { name }: { name: string }) => (
        <Select
          mode="multiple"
          size="small"
          maxTagCount="responsive"
          options={options}
          value={draft.cells[cellName(name, party, purpose)]?.uses ?? []}
          onChange={(uses: string[]) => set(name, party, uses)}
          data-testid={`rule-${name}-${party}`}
        />
      ),
    })),
  ]
  const rows = names.map((name) => ({ name }))
  return (
    <div className="matrix">
      <Table rowKey="name" size="small" bordered pagination={false} title={() => t('matrix')} columns={columns} dataSource={rows} scroll={{ x: 'max-content' }} data-testid="rules-matrix" />
    </div>
  )
}
