// The tier that a query asks for; empty for its own.
import { Form, Select } from 'antd'
import { useLanguage } from '../words/language'

const TIERS = ['', 'a', 'b', 'b+', 'c', 'd']

export function TierField({ value, onChange }: { value: string; onChange: (tier: string) => void }) {
  const { t } = useLanguage()
  const options = TIERS.map((tier) => ({ value: tier, label: tier ? tier.toUpperCase() : t('tierOwn') }))
  return (
    <Form.Item label={t('tier')} extra={t('tierHint')}>
      <Select value={value} options={options} onChange={(tier: string) => onChange(tier)} style={{ maxWidth: 320 }} data-testid="query-tier" />
    </Form.Item>
  )
}
