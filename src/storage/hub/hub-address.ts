// What a person types to name a model of the hub.

/** "owner/name", with a branch, tag or commit where it is not the newest. */
export type HubAddress = { readonly id: string; readonly revision: string };

const part = '[A-Za-z0-9][\\w.-]{0,95}';
const pattern = new RegExp(`^(${part}/${part})(?:@([\\w./-]+)|/(?:tree|resolve|blob)/([^/]+).*)?$`);

/** Reads "owner/name", "owner/name@revision" or the address of a model's page; undefined for anything else. */
export function parseHubAddress(text: string): HubAddress | undefined {
  const path = text
    .trim()
    .replace(/^(https?:\/\/)?(www\.)?(huggingface\.co|hf\.co)\//, '')
    .replace(/[?#].*$/, '')
    .replace(/\/$/, '');
  const [, id, revision, branch] = pattern.exec(path) ?? [];
  if (id === undefined || /^(datasets|spaces|api|docs)\//.test(id)) return undefined;
  return { id, revision: revision ?? branch ?? 'main' };
}
