// The ledger's canonical codec, reading side: big-endian integers, counted sequences, nothing may follow.
import { text } from './bytes'

export class Reader {
  private at = 0
  constructor(private readonly bytes: Uint8Array) {}

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new Error('the message ends early')
    const part = this.bytes.slice(this.at, this.at + count)
    this.at += count
    return part
  }

  u8(): number {
    return this.take(1)[0] ?? 0
  }

  u32(): number {
    return this.view(4).getUint32(0, false)
  }

  // Heights and times: larger ones than a number holds exactly are refused.
  u64(): number {
    const value = this.view(8).getBigUint64(0, false)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('a number is too large')
    return Number(value)
  }

  bool(): boolean {
    const byte = this.u8()
    if (byte > 1) throw new Error('not a truth value')
    return byte === 1
  }

  counted(): Uint8Array {
    return this.take(this.u32())
  }

  text(): string {
    return text(this.counted())
  }

  list<T>(item: () => T): T[] {
    const count = this.u32()
    if (count > this.bytes.length - this.at) throw new Error('a count is larger than the message')
    const items: T[] = []
    for (let i = 0; i < count; i += 1) items.push(item())
    return items
  }

  finish(): void {
    if (this.at !== this.bytes.length) throw new Error('bytes follow the message')
  }

  private view(count: number): DataView {
    const part = this.take(count)
    return new DataView(part.buffer, part.byteOffset, part.byteLength)
  }
}

// Reads exactly one value.
export function decode<T>(bytes: Uint8Array, read: (from: Reader) => T): T {
  const reader = new Reader(bytes)
  const value = read(reader)
  reader.finish()
  return value
}
