// What the node finds wrong with itself, asked for again every few seconds.
import { Alert, Card, Typography } from 'antd'
import { useEffect } from 'react'
import { get } from '../api'
import { useLoad } from '../load'
import type { Alarms } from '../types'
import { useLanguage } from '../words/language'
import { FaultAlert } from './FaultAlert'
import { Stack } from './small'

const EVERY_MS = 5000

export function AlarmCard() {
  const { t, time, pick } = useLanguage()
  const { data, fault, reload } = useLoad('alarms', () => get<Alarms>('/api/alarms'))
  useEffect(() => {
    const timer = setInterval(reload, EVERY_MS)
    return () => clearInterval(timer)
  }, [reload])
  const active = data?.active ?? []
  return (
    <Card size="small" title={t('alarms')} data-testid="alarms" data-count={active.length}>
      <FaultAlert fault={fault} />
      {data && active.length === 0 && <Typography.Text type="secondary">{t('noAlarms')}</Typography.Text>}
      <Stack>
        {active.map((alarm) => (
          <Alert
            key={`${alarm.code}/${alarm.subject}`}
            type={alarm.severity === 'critical' ? 'error' : 'warning'}
            showIcon
            message={pick(alarm.text_zh, alarm.text_en)}
            description={`${t('since')} ${time(alarm.since)} · ${t('remedy')}: ${pick(alarm.remedy_zh, alarm.remedy_en)}`}
            data-testid="alarm"
            data-code={alarm.code}
          />
        ))}
      </Stack>
    </Card>
  )
}
