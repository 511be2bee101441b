// Calls to the node this page came from; nothing else is ever called.
import type { FaultView } from './types'

export class Fault extends Error {
  constructor(
    readonly status: number,
    readonly view: FaultView | null,
    message: string,
  ) {
    super(message)
  }

  tell(zh: boolean): string {
    if (!this.view) return this.message
    return zh ? this.view.message_zh : this.view.message_en
  }
}

async function faultOf(response: Response): Promise<Fault> {
  const body = await response.text()
  try {
    const view = JSON.parse(body) as FaultView
    if (typeof view.number === 'string') return new Fault(response.status, view, view.message_en)
  } catch {
    // Not one of our faults; the status says what is known.
  }
  return new Fault(response.status, null, `HTTP ${response.status} ${body.slice(0, 200)}`)
}

async function call(path: string, options: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { ...options, credentials: 'same-origin', redirect: 'error' })
  } catch (why) {
    throw new Fault(0, null, `节点没有响应 / the node does not answer: ${String(why)}`)
  }
  if (!response.ok) throw await faultOf(response)
  return response
}

export async function get<T>(path: string): Promise<T> {
  return (await call(path, { method: 'GET' })).json() as Promise<T>
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { 'Content-Type': 'application/json', 'X-Heqi': '1' }
  const response = await call(path, { method: 'POST', headers, body: JSON.stringify(body) })
  return (response.status === 204 ? null : await response.json()) as T
}

export async function bytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await call(path, { method: 'GET' })).arrayBuffer())
}

export async function postBytes<T>(path: string, body: Blob): Promise<T> {
  const headers = { 'Content-Type': 'application/octet-stream', 'X-Heqi': '1' }
  return (await call(path, { method: 'POST', headers, body })).json() as Promise<T>
}

// Hears server-sent events of one name until the returned function is called; the stream's end is told too.
export function listen<T>(path: string, name: string, heard: (value: T) => void, ended?: () => void): () => void {
  const source = new EventSource(path)
  source.addEventListener(name, (event) => heard(JSON.parse((event as MessageEvent<string>).data) as T))
  source.onerror = () => {
    // A stream that ended would be opened again and again; whoever listens decides.
    if (ended) {
      source.close()
      ended()
    }
  }
  return () => source.close()
}
