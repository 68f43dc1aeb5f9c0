// The page's own few icons, drawn on a 20 × 20 grid with the text's colour.
const paths = {
  train: 'M3 15.5l4-5 3 3 3.5-6 3.5 4.5M3 4v13h14',
  create: 'M4 16l1-4 8.5-8.5 3 3L8 15l-4 1zM11.5 5.5l3 3',
  chat: 'M4 4h12v9H9l-4 3.5V13H4z',
  models: 'M10 2.5l6.5 3.75v7.5L10 17.5l-6.5-3.75v-7.5zM3.5 6.25L10 10l6.5-3.75M10 10v7.5',
  settings: 'M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4',
  add: 'M10 4v12M4 10h12',
  close: 'M5 5l10 10M15 5L5 15',
  download: 'M10 3v9M6 8.5l4 4 4-4M4 16.5h12',
  dice: 'M4 4h12v12H4zM7.2 7.2h.01M12.8 12.8h.01M12.8 7.2h.01M7.2 12.8h.01',
  rename: 'M4 16l1-4 8-8 3 3-8 8zM4 16h12',
  remove: 'M4 6h12M8 6V4h4v2M6 6l.7 10.5h6.6L14 6',
  restore: 'M4 10a6 6 0 1 0 2-4.5M4 3.5V7h3.5',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  photo: 'M3 4.5h14v11H3zM3 13l4-4 3.5 3.5L13 10l4 4M12.8 7.7h.01',
  menu: 'M5 8l5 5 5-5',
} as const;

export type IconName = keyof typeof paths;

/** An icon beside words, or in a button that has a name of its own. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
