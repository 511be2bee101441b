// All jobs.
import { Button, Card } from 'antd'
import { get } from '../api'
import { FaultAlert } from '../components/FaultAlert'
import { JobTable } from '../components/JobTable'
import { Stack } from '../components/small'
import { useLoad } from '../load'
import type { JobSummary } from '../types'
import { useLanguage } from '../words/language'

export function JobsPage() {
  const { t } = useLanguage()
  const jobs = useLoad('jobs', () => get<JobSummary[]>('/api/jobs'))
  const refresh = <Button size="small" onClick={jobs.reload} data-testid="refresh">{t('refresh')}</Button>
  return (
    <Stack testid="jobs-page">
      <FaultAlert fault={jobs.fault} />
      <Card size="small" title={t('jobs')} extra={refresh}>
        <JobTable jobs={jobs.data ?? []} loading={jobs.loading} />
      </Card>
    </Stack>
  )
}
