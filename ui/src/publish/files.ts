// Files as they are dropped, chosen or pasted: folders are opened, and what systems leave behind stays out.

const LEFT_BEHIND = /^(\.DS_Store|Thumbs\.db|desktop\.ini|\._.*)$/i;
/** A folder with more is a mistake, or belongs into an archive. */
export const FILES_MAX = 200;

/** Why a name cannot be a file's name on the server, roughly; the server decides. */
export function nameIsBad(name: string): boolean {
  // eslint-disable-next-line no-control-regex
  return name.length === 0 || /[\x00-\x1f\x7f/\\]/.test(name) || /^\.+$/.test(name) || new TextEncoder().encode(name).length > 255;
}

export async function filesOf(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  if (entries.every((entry) => entry === null)) return usable([...transfer.files]);
  const found: File[] = [];
  for (const entry of entries) if (entry) await collect(entry, found);
  return usable(found);
}

export function usable(files: File[]): File[] {
  return files.filter((file) => !LEFT_BEHIND.test(file.name)).slice(0, FILES_MAX);
}

async function collect(entry: FileSystemEntry, found: File[]): Promise<void> {
  if (found.length >= FILES_MAX) return;
  if (entry.isFile) {
    found.push(await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    }));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a folder in parts, and an empty part at its end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (part.length === 0) return;
    for (const child of part) await collect(child, found);
  }
}
