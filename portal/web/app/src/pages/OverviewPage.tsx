// Overview: the consortium in numbers, its nodes, recent jobs, and who used what.
import { Button, Card, Col, Row, Statistic, Table, Tag } from 'antd'
import type { ReactNode } from 'react'
import { get } from '../api'
import { AlarmCard } from '../components/AlarmCard'
import { FaultAlert } from '../components/FaultAlert'
import { JobTable } from '../components/JobTable'
import { Stack } from '../components/small'
import { useLoad } from '../load'
import type { JobSummary, Stats } from '../types'
import { useLanguage } from '../words/language'

export function OverviewPage() {
  const { t } = useLanguage()
  const stats = useLoad('stats', () => get<Stats>('/api/stats'))
  const jobs = useLoad('jobs', () => get<JobSummary[]>('/api/jobs'))
  const reload = () => {
    stats.reload()
    jobs.reload()
  }
  return (
    <Stack testid="overview-page">
      <div><Button onClick={reload} loading={stats.loading} data-testid="refresh">{t('refresh')}</Button></div>
      <FaultAlert fault={stats.fault ?? jobs.fault} />
      <AlarmCard />
      {stats.data && <Numbers stats={stats.data} />}
      <Card size="small" title={t('recentJobs')}>
        <JobTable jobs={(jobs.data ?? []).slice(0, 8)} loading={jobs.loading} />
      </Card>
      {stats.data && <Tables stats={stats.data} />}
    </Stack>
  )
}

function sum(items: { count: number }[]): number {
  return items.reduce((total, item) => total + item.count, 0)
}

function Numbers({ stats }: { stats: Stats }) {
  const { t } = useLanguage()
  const runs = stats.uses.reduce((total, use) => total + use.runs, 0)
  const cards: [string, string, number][] = [
    ['datasets', t('statDatasets'), sum(stats.datasets)],
    ['jobs', t('statJobs'), sum(stats.jobs)],
    ['runs', t('statRuns'), runs],
    ['refused', t('statRefused'), sum(stats.refused)],
  ]
  return (
    <Row gutter={16}>
      {cards.map(([name, title, value]) => (
        <Col span={6} key={name}>
          <Card size="small" data-testid={`stat-${name}`}><Statistic title={title} value={value} /></Card>
        </Col>
      ))}
    </Row>
  )
}

function Tables({ stats }: { stats: Stats }) {
  const { t, term, pick } = useLanguage()
  const jobs = stats.jobs.map((item) => ({ key: item.status, name: term('status', item.status), count: item.count }))
  const refused = stats.refused.map((item) => ({
    key: item.code,
    name: `${item.code} ${pick(item.title_zh, item.title_en)}`,
    count: item.count,
  }))
  return (
    <Row gutter={[16, 16]}>
      <Half title={t('nodes')}><Nodes stats={stats} /></Half>
      <Half title={t('uses')}><Uses stats={stats} /></Half>
      <Half title={t('columnsByClass')}><Classes stats={stats} /></Half>
      <Half title={t('jobsByStatus')}><Counts rows={jobs} testid="table-statuses" /></Half>
      <Half title={t('refusedAttempts')}><Counts rows={refused} testid="table-refused" /></Half>
    </Row>
  )
}

function Half({ title, children }: { title: string; children: ReactNode }) {
  return <Col xs={24} lg={12}><Card size="small" title={title}>{children}</Card></Col>
}

function Counts({ rows, testid }: { rows: { key: string; name: string; count: number }[]; testid: string }) {
  const { t } = useLanguage()
  const columns = [{ title: '', dataIndex: 'name' }, { title: t('count'), dataIndex: 'count', width: 90 }]
  return <Table size="small" pagination={false} columns={columns} dataSource={rows} data-testid={testid} />
}

function Nodes({ stats }: { stats: Stats }) {
  const { t } = useLanguage()
  const rows = stats.nodes.map((node) => ({ key: node.org, ...node }))
  const columns = [
    { title: t('party'), dataIndex: 'org' },
    {
      title: t('status'),
      dataIndex: 'reachable',
      render: (up: boolean) => <Tag color={up ? 'green' : 'red'}>{up ? t('reachable') : t('unreachable')}</Tag>,
    },
    { title: t('height'), dataIndex: 'height', render: (height: number | null) => height ?? '–' },
  ]
  return <Table size="small" pagination={false} columns={columns} dataSource={rows} data-testid="table-nodes" />
}

function Uses({ stats }: { stats: Stats }) {
  const { t } = useLanguage()
  const rows = stats.uses.map((use, key) => ({ key, ...use }))
  const columns = [
    { title: t('receiver'), dataIndex: 'receiver' },
    { title: t('dataset'), dataIndex: 'dataset' },
    { title: t('purpose'), dataIndex: 'purpose' },
    { title: t('runs'), dataIndex: 'runs', width: 80 },
  ]
  return <Table size="small" pagination={false} columns={columns} dataSource={rows} data-testid="table-uses" />
}

function Classes({ stats }: { stats: Stats }) {
  const { t, term } = useLanguage()
  const rows = stats.columns.map((item, key) => ({ key, ...item }))
  const columns = [
    { title: t('class'), dataIndex: 'class', render: (word: string) => term('class', word) },
    { title: t('grade'), dataIndex: 'grade', width: 80, render: (grade: number) => grade || '–' },
    { title: t('count'), dataIndex: 'count', width: 90 },
  ]
  return <Table size="small" pagination={false} columns={columns} dataSource={rows} data-testid="table-classes" />
}
