// A fault: what, where, by whom, and what to do.
import { Alert } from 'antd'
import type { Fault } from '../api'
import type { FaultView } from '../types'
import { useLanguage } from '../words/language'

export function FaultAlert({ fault }: { fault: Fault | null }) {
  const { zh } = useLanguage()
  if (!fault) return null
  if (fault.view) return <FaultViewAlert fault={fault.view} />
  return <Alert type="error" showIcon message={fault.tell(zh)} data-testid="fault" />
}

export function FaultViewAlert({ fault }: { fault: FaultView | null }) {
  const { t, pick } = useLanguage()
  if (!fault) return null
  const where = [fault.party && `${t('party')}: ${fault.party}`, fault.step && `${t('step')}: ${fault.step}`]
  const description = (
    <>
      <div>{fault.detail}</div>
      <div>{where.filter(Boolean).join(' · ')}</div>
      <div>{t('remedy')}: {pick(fault.remedy_zh, fault.remedy)}</div>
    </>
  )
  const message = `${fault.number} ${pick(fault.title_zh, fault.title)}`
  return <Alert type="error" showIcon message={message} description={description} data-testid="fault" />
}
