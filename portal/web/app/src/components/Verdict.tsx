// A verdict on a bundle of evidence, link by link.
import { Alert, Steps } from 'antd'
import type { Verdict } from '../types'
import { useLanguage } from '../words/language'
import { Digest } from './small'

export function VerdictView({ verdict }: { verdict: Verdict }) {
  const { t, pick } = useLanguage()
  const anchored = verdict.anchored ? t('anchored') : t('unanchored')
  const broken = verdict.steps.find((step) => !step.ok)
  const where = broken ? pick(broken.name_zh, broken.name) : (verdict.first_broken ?? '?')
  const message = verdict.valid ? t('valid') : t('invalid', { where })
  const type = !verdict.valid ? 'error' : verdict.anchored ? 'success' : 'warning'
  const items = verdict.steps.map((step) => ({
    title: pick(step.name_zh, step.name),
    description: step.detail,
    status: step.ok ? ('finish' as const) : ('error' as const),
  }))
  return (
    <div className="page-stack" data-testid="verdict" data-valid={String(verdict.valid)} data-anchored={String(verdict.anchored)}>
      <Alert type={type} showIcon message={message} description={<>{anchored} <Digest value={verdict.genesis} /></>} />
      <Steps direction="vertical" size="small" items={items} data-testid="verdict-steps" />
      <Alert type="info" message={t('evidenceLimit')} />
    </div>
  )
}
