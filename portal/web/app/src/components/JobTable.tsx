// Jobs as a list.
import { Table } from 'antd'
import type { JobSummary } from '../types'
import { useLanguage } from '../words/language'
import { JobLink, Status } from './small'

export function JobTable({ jobs, loading }: { jobs: JobSummary[]; loading: boolean }) {
  const { t, time } = useLanguage()
  const columns = [
    { title: t('job'), dataIndex: 'id', render: (id: string) => <JobLink id={id} /> },
    { title: t('status'), dataIndex: 'status', render: (status: string) => <Status status={status} /> },
    { title: t('analyst'), dataIndex: 'analyst' },
    { title: t('receiver'), dataIndex: 'receiver' },
    { title: t('purpose'), dataIndex: 'purpose' },
    { title: t('datasets'), dataIndex: 'datasets', render: (names: string[]) => names.join(', ') },
    { title: t('proposedAt'), dataIndex: 'proposed', render: time },
  ]
  return <Table rowKey="id" size="small" pagination={false} loading={loading} columns={columns} dataSource={jobs} data-testid="table-jobs" />
}
