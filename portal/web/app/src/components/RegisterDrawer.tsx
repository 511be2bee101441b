// Registering a source: where it is, what the platform finds there, the owner's classes and grades, the signature.
import { Alert, App as Notices, Button, Drawer, Form, Input, Select, Space, Table } from 'antd'
import { useState } from 'react'
import { type Fault, post } from '../api'
import { datasetSubject } from '../gm/entry'
import { asFault } from '../load'
import { useSession } from '../session'
import type { FoundColumn, Prepared, SourceTest } from '../types'
import type { Word } from '../words/dictionary'
import { useLanguage } from '../words/language'
import { CLASS_WORDS } from '../words/terms'
import { FaultAlert } from './FaultAlert'
import { useSign } from './Signer'

const KINDS = ['csv', 'parquet', 'sqlite', 'postgres']

// The settings that each kind of source has.
const FIELDS: Record<string, [name: string, label: Word, needed: boolean][]> = {
  csv: [['path', 'path', true], ['delimiter', 'delimiter', false], ['encoding', 'encoding', false]],
  parquet: [['path', 'path', true]],
  sqlite: [['path', 'path', true], ['table', 'table', true]],
  postgres: [['url_env', 'urlEnv', true], ['schema', 'schema', false], ['table', 'table', true]],
}

interface Given { kind: string; name: string; title: string; settings: Record<string, string> }

type Classes = Record<string, { class: string; grade: number }>

function configOf(given: Given, org: string): unknown {
  const named = FIELDS[given.kind] ?? []
  const settings = named.map(([name]) => [name, given.settings[name]?.trim()] as const).filter(([, value]) => value)
  const location = { kind: given.kind, ...Object.fromEntries(settings) }
  return { dataset: `${org}/${given.name}`, title: given.title || given.name, location }
}

export function RegisterDrawer({ close, done }: { close: () => void; done: () => void }) {
  const { t } = useLanguage()
  const { me } = useSession()
  const sign = useSign()
  const { message } = Notices.useApp()
  const [given, setGiven] = useState<Given>({ kind: 'csv', name: '', title: '', settings: {} })
  const [found, setFound] = useState<SourceTest | null>(null)
  const [classes, setClasses] = useState<Classes>({})
  const [fault, setFault] = useState<Fault | null>(null)
  const [busy, setBusy] = useState(false)

  const attempt = async (act: () => Promise<void>) => {
    setBusy(true)
    setFault(null)
    try {
      await act()
    } catch (why) {
      setFault(asFault(why))
    } finally {
      setBusy(false)
    }
  }
  const change = (part: Partial<Given>) => {
    setGiven({ ...given, ...part })
    setFound(null)
  }
  const test = () => attempt(async () => setFound(await post<SourceTest>('/api/sources/test', configOf(given, me.org.id))))
  const register = () => attempt(async () => {
    const chosen = (found?.columns ?? []).map(({ name }) => ({ column: name, ...(classes[name] ?? DEFAULT_CLASS) }))
    const prepare = () => post<Prepared>('/api/sources/prepare', { config: configOf(given, me.org.id), classes: chosen })
    const subject = datasetSubject(`${me.org.id}/${given.name}`)
    const written = await sign({ prepare, kind: 'source_registered', subject })
    if (written) {
      void message.success(`${t('registered')} · ${t('executed', { height: written.height })}`)
      done()
    }
  })
  return (
    <Drawer open width={860} title={t('register')} onClose={close} data-testid="register-drawer">
      <div className="page-stack">
        <SettingsForm given={given} change={change} />
        <Space>
          <Button disabled={!given.name} loading={busy} onClick={() => void test()} data-testid="register-test">{t('test')}</Button>
          <Button type="primary" disabled={!found} loading={busy} onClick={() => void register()} data-testid="register-sign">{t('registerAndSign')}</Button>
        </Space>
        <FaultAlert fault={fault} />
        {found && <Found found={found} classes={classes} setClasses={setClasses} />}
      </div>
    </Drawer>
  )
}

const DEFAULT_CLASS = { class: 'general', grade: 2 }

function SettingsForm({ given, change }: { given: Given; change: (part: Partial<Given>) => void }) {
  const { t } = useLanguage()
  const { me } = useSession()
  const fields = FIELDS[given.kind] ?? []
  const set = (name: string, value: string) => change({ settings: { ...given.settings, [name]: value } })
  return (
    <Form layout="vertical">
      <Form.Item label={t('tableName')} extra={t('tableNameHelp')} required>
        <Input addonBefore={`${me.org.id}/`} value={given.name} onChange={(event) => change({ name: event.target.value })} data-testid="register-name" />
      </Form.Item>
      <Form.Item label={t('title')}>
        <Input value={given.title} onChange={(event) => change({ title: event.target.value })} data-testid="register-title" />
      </Form.Item>
      <Form.Item label={t('sourceKind')}>
        <Select value={given.kind} options={KINDS.map((value) => ({ value, label: value }))} onChange={(kind: string) => change({ kind, settings: {} })} data-testid="register-kind" />
      </Form.Item>
      {fields.map(([name, label, needed]) => (
        <Form.Item key={name} label={t(label)} required={needed}>
          <Input value={given.settings[name] ?? ''} onChange={(event) => set(name, event.target.value)} data-testid={`register-${name}`} />
        </Form.Item>
      ))}
    </Form>
  )
}

function Found({ found, classes, setClasses }: { found: SourceTest; classes: Classes; setClasses: (classes: Classes) => void }) {
  const { t, term } = useLanguage()
  const of = (name: string) => classes[name] ?? DEFAULT_CLASS
  const set = (name: string, part: Partial<Classes[string]>) => setClasses({ ...classes, [name]: { ...of(name), ...part } })
  const columns = [
    { title: t('column'), dataIndex: 'name' },
    { title: t('type'), dataIndex: 'type', render: (type: string) => term('type', type) },
    { title: t('nulls'), dataIndex: 'nulls' },
    { title: t('unique'), dataIndex: 'unique', render: (yes: boolean) => t(yes ? 'yes' : 'no') },
    { title: t('range'), key: 'range', render: (_: unknown, column: FoundColumn) => `${column.min} … ${column.max}` },
    {
      title: t('class'),
      key: 'class',
      render: (_: unknown, { name }: FoundColumn) => (
        <Select size="small" style={{ width: 110 }} value={of(name).class} options={CLASS_WORDS.map((value) => ({ value, label: term('class', value) }))} onChange={(value: string) => set(name, { class: value })} />
      ),
    },
    {
      title: t('grade'),
      key: 'grade',
      render: (_: unknown, { name }: FoundColumn) => (
        <Select size="small" style={{ width: 64 }} value={of(name).grade} options={[1, 2, 3, 4].map((value) => ({ value, label: value }))} onChange={(value: number) => set(name, { grade: value })} />
      ),
    },
  ]
  const message = t('found', { rows: found.rows, columns: found.columns.length, bound: found.rows_bound })
  return (
    <div className="page-stack" data-testid="register-found">
      <Alert type="success" showIcon message={message} description={found.notes.map((note) => <div key={note}>{note}</div>)} />
      <Table<FoundColumn> rowKey="name" size="small" pagination={false} columns={columns} dataSource={found.columns} />
    </div>
  )
}
