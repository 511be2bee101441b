// Without a session: how to come in.
import { Alert, Button, Card, Typography } from 'antd'
import { useLanguage } from '../words/language'

export function LoginPage({ failed }: { failed: boolean }) {
  const { t, toggle } = useLanguage()
  const extra = <Button size="small" onClick={toggle} data-testid="language">{t('language')}</Button>
  return (
    <div style={{ maxWidth: 560, margin: '12vh auto 0' }} data-testid="login-page">
      <Card title={`${t('product')} · ${t('loginTitle')}`} extra={extra}>
        <div className="page-stack">
          {failed && <Alert type="error" showIcon message={t('loginFailed')} data-testid="login-failed" />}
          <Typography.Paragraph>{t('loginText')}</Typography.Paragraph>
          <Typography.Text type="secondary">{t('slogan')}</Typography.Text>
        </div>
      </Card>
    </div>
  )
}
