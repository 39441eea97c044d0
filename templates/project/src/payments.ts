import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Integration, IoError } from "abi-workflows";

/**
 * Stands in for your bank: a payment is a file. Call your payment service here instead, and send it
 * the key, usually as the header `Idempotency-Key`.
 */
export class Payments extends Integration<{ folder: string }> {
  /** Pays once for each key, however often it is called, and returns the receipt. */
  async pay(key: string, payment: { order_id: string; amount: number }): Promise<string> {
    const { folder } = this.configuration;
    const file = join(folder, `${encodeURIComponent(key)}.json`);
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(`${file}.new`, JSON.stringify(payment));
      await rename(`${file}.new`, file);
    } catch (cause) {
      // An IoError is temporary, so the step is retried.
      throw new IoError("The payment service can't be reached. Try again later.", { cause });
    }
    return `receipt-${key}`;
  }
}
