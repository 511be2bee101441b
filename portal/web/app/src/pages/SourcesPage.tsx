// Sources: everybody's catalogue, and for owners registration and rules.
import { App as Notices, Button, Card, Space, Table, Tag, Typography } from 'antd'
import { useState } from 'react'
import { get } from '../api'
import { FaultAlert } from '../components/FaultAlert'
import { RegisterDrawer } from '../components/RegisterDrawer'
import { RulesDrawer } from '../components/RulesDrawer'
import { Stack } from '../components/small'
import { useLoad } from '../load'
import { useSession } from '../session'
import type { Catalogue, Column, RuleView, Source } from '../types'
import { useLanguage } from '../words/language'

export function SourcesPage() {
  const { t } = useLanguage()
  const { me } = useSession()
  const catalogue = useLoad('catalogue', () => get<Catalogue>('/api/catalogue'))
  const [registering, setRegistering] = useState(false)
  const [ruling, setRuling] = useState<Source | null>(null)
  const owner = me.roles.includes('owner')
  const done = () => {
    setRegistering(false)
    setRuling(null)
    catalogue.reload()
  }
  const extra = (
    <Space>
      <Button size="small" onClick={catalogue.reload} data-testid="refresh">{t('refresh')}</Button>
      {owner && <Button size="small" type="primary" onClick={() => setRegistering(true)} data-testid="source-register">{t('register')}</Button>}
    </Space>
  )
  return (
    <Notices>
      <Stack testid="sources-page">
        <FaultAlert fault={catalogue.fault} />
        <Card size="small" title={t('sources')} extra={extra}>
          <SourceTable sources={catalogue.data?.sources ?? []} loading={catalogue.loading} rule={owner ? setRuling : null} />
        </Card>
        {registering && <RegisterDrawer close={() => setRegistering(false)} done={done} />}
        {ruling && catalogue.data && (
          <RulesDrawer key={ruling.dataset} source={ruling} catalogue={catalogue.data} close={() => setRuling(null)} done={done} />
        )}
      </Stack>
    </Notices>
  )
}

interface TableProps { sources: Source[]; loading: boolean; rule: ((source: Source) => void) | null }

function SourceTable({ sources, loading, rule }: TableProps) {
  const { t } = useLanguage()
  const columns = [
    {
      title: t('dataset'),
      dataIndex: 'dataset',
      render: (dataset: string, source: Source) => <>{dataset} {source.own && <Tag color="green">{t('own')}</Tag>}</>,
    },
    { title: t('title'), dataIndex: 'title' },
    { title: t('owner'), dataIndex: 'owner' },
    { title: t('kind'), dataIndex: 'kind' },
    { title: t('rowsBound'), dataIndex: 'rows_bound' },
    { title: t('columns'), key: 'columns', render: (_: unknown, source: Source) => source.columns.length },
    {
      title: t('rules'),
      key: 'rules',
      render: (_: unknown, source: Source) => (
        <Space>
          {source.rules ? <Tag color="blue">{source.rules.rules.length} · {t(source.rules.approval === 'auto' ? 'auto' : 'person')}</Tag> : <Tag color="orange">{t('none')}</Tag>}
          {source.own && rule && <Button size="small" onClick={() => rule(source)} data-testid={`rules-${source.dataset}`}>{t('setRules')}</Button>}
        </Space>
      ),
    },
  ]
  return (
    <Table<Source>
      rowKey="dataset"
      size="small"
      pagination={false}
      loading={loading}
      columns={columns}
      dataSource={sources}
      expandable={{ expandedRowRender: (source) => <Details source={source} /> }}
      data-testid="table-sources"
    />
  )
}

function Details({ source }: { source: Source }) {
  const { t, term } = useLanguage()
  const columns = [
    { title: t('column'), dataIndex: 'name' },
    { title: t('type'), dataIndex: 'type', render: (type: string) => term('type', type) },
    { title: t('class'), dataIndex: 'class', render: (word: string | null) => (word ? term('class', word) : '–') },
    { title: t('grade'), dataIndex: 'grade', render: (grade: number | null) => grade ?? '–' },
    { title: t('nullable'), dataIndex: 'nullable', render: (yes: boolean) => t(yes ? 'yes' : 'no') },
    { title: t('unique'), dataIndex: 'unique', render: (yes: boolean) => t(yes ? 'yes' : 'no') },
    { title: t('range'), key: 'range', render: (_: unknown, column: Column) => `${column.min} … ${column.max}` },
  ]
  return (
    <div className="page-stack" data-testid={`source-${source.dataset}`}>
      <Table<Column> rowKey="name" size="small" pagination={false} columns={columns} dataSource={source.columns} />
      <Rules source={source} />
    </div>
  )
}

function Rules({ source }: { source: Source }) {
  const { t, term, time } = useLanguage()
  if (!source.rules) return <Typography.Text type="warning">{t('noRules')}</Typography.Text>
  const rows = source.rules.rules.map((rule, key) => ({ key, ...rule }))
  const columns = [
    { title: t('column'), dataIndex: 'column' },
    { title: t('party'), dataIndex: 'party' },
    { title: t('purpose'), dataIndex: 'purpose' },
    { title: t('grant'), dataIndex: 'uses', render: (uses: string[]) => uses.map((use) => <Tag key={use}>{term('use', use)}</Tag>) },
    { title: t('expiresOn'), dataIndex: 'expires', render: time },
    { title: t('runsAllowed'), dataIndex: 'runs' },
  ]
  return (
    <>
      <Typography.Text>
        {t('minGroup')}: {source.rules.min_group} · {t('shareHolders')}: {source.rules.holders.join(', ')}
      </Typography.Text>
      <Table<RuleView & { key: number }> size="small" pagination={false} columns={columns} dataSource={rows} />
    </>
  )
}
