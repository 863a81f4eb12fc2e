// Files let go of over a page, as a hand would.

import type { Page } from 'playwright-core';

export async function drop(page: Page, files: { name: string; text: string }[]): Promise<void> {
  await page.evaluate((files) => {
    const transfer = new DataTransfer();
    for (const file of files) transfer.items.add(new File([file.text], file.name));
    window.dispatchEvent(new DragEvent('dragenter', { dataTransfer: transfer, bubbles: true }));
    window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, files);
}
