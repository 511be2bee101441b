// The story in a real browser: three people of three departments at three portals; no request leaves the machine.
// Usage: node story.mjs DEMO_FOLDER REPORT_JSON [PICTURE_FOLDER]; the demo's nodes run, the report names their portals.
import { existsSync, readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const [folder, reportFile, pictures] = process.argv.slice(2)
const lines = readFileSync(reportFile, 'utf8').trim().split('\n')
const report = JSON.parse(lines[lines.length - 1])
const password = readFileSync(`${folder}/password`, 'utf8').trim()
const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))

const browser = await chromium.launch({
  executablePath: program,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
})

function fail(why) {
  throw new Error(why)
}

// A person's own browser, signed in by the one-time link; notes every request to another origin.
async function person(id) {
  const portal = report.portals.find((p) => p.logins.some((l) => l.person === id)) ?? fail(`no portal for ${id}`)
  const context = await browser.newContext({ viewport: { width: 1360, height: 1080 }, locale: 'zh-CN' })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const outside = []
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(portal.portal) && !url.startsWith('data:') && !url.startsWith('blob:')) outside.push(url)
  })
  page.on('pageerror', (error) => outside.push(`error on the page: ${error.message}`))
  await page.goto(portal.logins.find((l) => l.person === id).link)
  await page.getByTestId('menu').waitFor()
  return { id, page, outside, go: (path) => page.goto(`${portal.portal}/#${path}`) }
}

async function picture(who, name) {
  if (pictures) await who.page.screenshot({ path: `${pictures}/${name}.png`, fullPage: false })
}

async function sign(who) {
  const { page } = who
  await page.getByTestId('sign-dialog').waitFor()
  if (await page.getByTestId('key-file').count()) {
    await page.getByTestId('key-file').setInputFiles(`${folder}/people/${who.id.replace('/', '-')}.key.json`)
    await page.getByTestId('key-password').fill(password)
    await page.getByTestId('key-open').click()
    await page.getByTestId('key-loaded').first().waitFor()
  }
  await page.getByTestId('sign-confirm').click()
  await page.getByTestId('sign-dialog').waitFor({ state: 'detached' })
}

const analyst = await person('statistics/analyst')
await picture(analyst, 'overview')
await analyst.go('/sources')
await analyst.page.getByTestId('table-sources').waitFor()
await analyst.go('/query')
await analyst.page.getByTestId('query-example').click()
await analyst.page.getByTestId('query-check').click()
const checked = analyst.page.getByTestId('check-result')
await checked.waitFor()
if ((await checked.getAttribute('data-allowed')) !== 'true') fail('Check refused the example')
await analyst.page.getByTestId('plan-learns').waitFor()
await picture(analyst, 'plan')
await analyst.page.getByTestId('query-submit').click()
await sign(analyst)
await analyst.page.waitForURL(/#\/jobs\/[0-9a-f]{64}/)
const job = analyst.page.url().split('/jobs/')[1]

const owner = await person('health/owner')
await owner.go('/approvals')
const proposal = owner.page.locator(`[data-testid="proposal"][data-job="${job}"]`)
for (let tries = 0; (await proposal.count()) === 0; tries += 1) {
  if (tries > 100) fail('the proposal does not reach the owner')
  await owner.page.waitForTimeout(100)
  await owner.page.getByTestId('refresh').click()
}
await proposal.getByTestId('approve').click()
await sign(owner)

const table = analyst.page.getByTestId('result-table')
await table.waitFor({ timeout: 60_000 })
const text = await table.innerText()
if (!text.includes('people') || !/\d{3}\.\d{6}/.test(text)) fail(`the result is not shown: ${text}`)
await picture(analyst, 'result')

const auditor = await person('audit/auditor')
await auditor.go(`/evidence/${job}`)
const entries = auditor.page.getByTestId('evidence-record')
await entries.first().waitFor()
// The answer is shown as soon as its receiver has it: the last receipts may still be on their way.
for (let tries = 0; (await entries.count()) < 15; tries += 1) {
  if (tries > 100) fail(`only ${await entries.count()} entries`)
  await auditor.page.waitForTimeout(200)
  await auditor.page.reload()
  await entries.first().waitFor()
}
const records = await entries.count()
await auditor.page.getByTestId('evidence-verify').click()
const verdict = auditor.page.getByTestId('verdict').first()
await verdict.waitFor()
await picture(auditor, 'evidence')
await auditor.go('/chain')
await auditor.page.getByTestId('table-blocks').waitFor()
await auditor.go('/api')
await auditor.page.getByTestId('api-route').first().waitFor()
// English too.
await auditor.page.getByTestId('language').click()
await auditor.go('/')
await auditor.page.getByTestId('table-uses').waitFor()
await picture(auditor, 'overview-en')

const outside = [analyst, owner, auditor].flatMap((who) => who.outside)
if (outside.length) fail(`requests that leave the machine, or errors: ${outside.join(', ')}`)
await browser.close()
console.log(JSON.stringify({ job, records }))
